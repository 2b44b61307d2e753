/**
 * Studies: many training runs that differ along axes, measured alike, and set side by side as the
 * paper does in Section 5.
 */
package org.rectiflow.study;
