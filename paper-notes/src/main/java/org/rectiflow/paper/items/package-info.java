/** One class for each figure, table and algorithm of the paper that something can be shown for. */
package org.rectiflow.paper.items;
