//! Queries for pages and reports, one file per page family. They only read.
//!
//! The pages ask through [`dashboard_api::Source`]; [`source`] answers by calling the other files. Two things hold for all of
//! them. *Scope*: a query is about one subject on one machine ([`scope::Ids`]), and baselines are taken from runs of that
//! machine. *Line*: a position is a commit's `seq`, and where a rewritten history left two commits at one place the newer
//! row stands ([`scope::LINE`]), so that no result is shown under a commit that is no longer on the line.

mod alerts;
mod builds;
mod catalogue;
mod cells;
mod change_points;
mod comparison;
pub mod exports;
mod library;
mod nights;
mod scope;
mod searches;
pub mod sides;
mod source;
mod warmup;
