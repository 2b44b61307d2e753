/** What a study found, as tables, figures and a page. */
package org.rectiflow.study.report;
