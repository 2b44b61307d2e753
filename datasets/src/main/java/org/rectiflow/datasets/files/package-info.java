/** Data sets in files: folders of pictures with captions, and IDX files as MNIST comes in. */
package org.rectiflow.datasets.files;
