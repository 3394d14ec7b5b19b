//! The figures of the dashboard: plain data in, a picture out.
//!
//! Problem: one picture must work inside a page in light and dark, as a file of its own, and as a bitmap
//! for mail; a reader must be able to ask it for values without scripts. Idea: every figure is a function
//! over [`Canvas`], a thin layer over plotters' drawing area that knows *inks* (roles such as "series 1" or
//! "muted text") instead of colours. The SVG form turns inks into `var(--ink, #fallback)`, the bitmap form
//! into fixed colours. Along the way a figure collects [`Mark`]s, which become hit areas with a tooltip and
//! a link.
//!
//! Invariants: a failure or a gap has no coordinate (the data types leave no room for one); text from
//! outside is escaped; the same data give the same bytes; nothing here reads files or asks the clock.
//! The font is the Latin part of Inter, see `font/OFL.txt`.

mod bars;
mod canvas;
mod forest;
mod ink;
mod outcomes;
mod scale;
mod search;
mod small;
mod timeline;
mod warmup;

pub use bars::{Bar, BarGroup, Bars};
pub use canvas::{Canvas, ChartError, Figure, Mark, Size, png, svg};
pub use forest::{Forest, ForestRow};
pub use ink::Ink;
pub use outcomes::{OutcomeBars, OutcomeRow};
pub use search::{SearchChart, SearchCommit, Try};
pub use small::{Badge, Sparkline};
pub use timeline::{ChangeMark, Column, Line, Spot, Timeline, YAxis};
pub use warmup::{Curve, Warmup};

/// The bundled font, a variable TrueType file (weights 100 to 900), for pages to serve.
pub const FONT_TTF: &[u8] = include_bytes!("../font/inter-latin-variable.ttf");

/// The licence of [`FONT_TTF`].
pub const FONT_LICENCE: &str = include_str!("../font/OFL.txt");
