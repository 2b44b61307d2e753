/** What a study file says: runs, axes, budgets and measurements. */
package org.rectiflow.study.plan;
