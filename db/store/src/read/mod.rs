//! Queries for pages and reports, one file per page family. They only read.
