//! A drawing surface in logical pixels with inks, over plotters' SVG and bitmap backends.
//!
//! plotters places everything on whole pixels and writes colours and font names into each element. The
//! canvas therefore draws at a multiple of the logical size (finer placing in SVG, sharper bitmaps), and
//! [`svg`] rewrites the result: colours become variables, the font is left to the page, each series gets a
//! class, and the hit areas are added.

use std::fmt::Write as _;
use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::element::{Drawable, PointCollection};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

use crate::ink::Ink;

/// Why a figure could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The bundled font was not accepted.
    #[error("the bundled font cannot be used")]
    Font,
    /// plotters refused an operation.
    #[error("cannot draw the {figure}: {reason}")]
    Draw {
        /// Which figure.
        figure: &'static str,
        /// What plotters said.
        reason: String,
    },
    /// The bitmap could not be written as PNG.
    #[error("cannot encode the figure as png")]
    Png(#[from] image::ImageError),
}

/// Width and height in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// A place in a figure that has something to say: becomes a hit area with tooltip and link.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Logical pixels from the left.
    pub x: f64,
    /// Logical pixels from the top.
    pub y: f64,
    /// Which series it belongs to, for toggling.
    pub series: Option<u8>,
    /// What it says; lines separated by newlines.
    pub label: String,
    /// Where a click leads.
    pub href: Option<String>,
    /// Width and height of a rectangular hit area that starts at (`x`, `y`); `None` is a disc around it.
    pub area: Option<(f64, f64)>,
}

/// Something that can draw itself.
pub trait Figure {
    /// What it is, for messages and screen readers.
    fn name(&self) -> &'static str;
    /// One sentence telling what the figure shows, for readers who do not see it.
    fn description(&self) -> String;
    /// The size it wants when `width` logical pixels are there.
    fn size(&self, width: u32) -> Size;
    /// Draws everything.
    ///
    /// # Errors
    /// [`ChartError::Draw`] when plotters refuses.
    fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), ChartError>;
}

enum Surface<'a> {
    Svg(DrawingArea<SVGBackend<'a>, Shift>),
    Bitmap(DrawingArea<BitMapBackend<'a>, Shift>),
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// Starts at the point.
    Start,
    /// Is centred on it.
    Middle,
    /// Ends at it.
    End,
}

/// A surface to draw on, in logical pixels.
pub struct Canvas<'a> {
    surface: Surface<'a>,
    scale: f64,
    size: Size,
    figure: &'static str,
    marks: Vec<Mark>,
}

const SVG_SCALE: f64 = 8.0;
const PNG_SCALE: f64 = 2.0;
/// Opacities from here to 1 mean a line with dashes of `(opacity - DASHED) * 10,000` pixels; see [`opacity`].
const DASHED: f64 = 0.99;
const FONT: &str = "nightjar";

fn font_ready() -> Result<(), ChartError> {
    static READY: OnceLock<bool> = OnceLock::new();
    let ready = READY.get_or_init(|| {
        [FontStyle::Normal, FontStyle::Bold]
            .into_iter()
            .all(|style| register_font(FONT, style, crate::FONT_TTF).is_ok())
    });
    if *ready {
        Ok(())
    } else {
        Err(ChartError::Font)
    }
}

impl Canvas<'_> {
    /// Size in logical pixels.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// Remembers a place that has something to say.
    pub(crate) fn mark(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    fn at(&self, (x, y): (f64, f64)) -> (i32, i32) {
        // Figures are some thousand pixels wide at most; the cast saturates on nonsense.
        (
            (x * self.scale).round() as i32,
            (y * self.scale).round() as i32,
        )
    }

    fn style(&self, ink: Ink, alpha: f64) -> RGBAColor {
        match self.surface {
            Surface::Svg(_) => ink.placeholder().mix(alpha),
            Surface::Bitmap(_) => ink.colour().mix(alpha),
        }
    }

    fn put<E>(&self, element: &E) -> Result<(), ChartError>
    where
        for<'e> &'e E: PointCollection<'e, (i32, i32)>,
        for<'b> E: Drawable<SVGBackend<'b>> + Drawable<BitMapBackend<'b>>,
    {
        let outcome = match &self.surface {
            Surface::Svg(area) => area.draw(element).map_err(|e| e.to_string()),
            Surface::Bitmap(area) => area.draw(element).map_err(|e| e.to_string()),
        };
        outcome.map_err(|reason| ChartError::Draw {
            figure: self.figure,
            reason,
        })
    }

    fn stroke(&self, ink: Ink, alpha: f64, width: f64) -> ShapeStyle {
        let stroke_width = (width * self.scale).round().max(1.0) as u32;
        ShapeStyle {
            color: self.style(ink, alpha),
            filled: false,
            stroke_width,
        }
    }

    fn fill(&self, ink: Ink, alpha: f64) -> ShapeStyle {
        ShapeStyle {
            color: self.style(ink, alpha),
            filled: true,
            stroke_width: 0,
        }
    }

    /// A line through `points`.
    pub(crate) fn line(
        &self,
        points: &[(f64, f64)],
        ink: Ink,
        alpha: f64,
        width: f64,
    ) -> Result<(), ChartError> {
        if points.len() < 2 {
            return Ok(());
        }
        let points: Vec<_> = points.iter().map(|&p| self.at(p)).collect();
        self.put(&PathElement::new(points, self.stroke(ink, alpha, width)))
    }

    /// A line through `points` in dashes of `dash` pixels with gaps as long; 0 draws it solid.
    pub(crate) fn dashed(
        &self,
        points: &[(f64, f64)],
        ink: Ink,
        width: f64,
        dash: f64,
    ) -> Result<(), ChartError> {
        if dash <= 0.0 {
            return self.line(points, ink, 1.0, width);
        }
        if matches!(self.surface, Surface::Svg(_)) {
            // plotters has no dashes; this opacity stands for them until the text is rewritten.
            let alpha = DASHED + (dash.round() / 1e4).min(0.009);
            return self.line(points, ink, alpha, width);
        }
        for piece in dashes(points, dash) {
            self.line(&piece, ink, 1.0, width)?;
        }
        Ok(())
    }

    /// A filled polygon.
    pub(crate) fn polygon(
        &self,
        points: &[(f64, f64)],
        ink: Ink,
        alpha: f64,
    ) -> Result<(), ChartError> {
        let points: Vec<_> = points.iter().map(|&p| self.at(p)).collect();
        self.put(&Polygon::new(points, self.fill(ink, alpha)))
    }

    /// A filled rectangle from corner to corner.
    pub(crate) fn rect(
        &self,
        from: (f64, f64),
        to: (f64, f64),
        ink: Ink,
        alpha: f64,
    ) -> Result<(), ChartError> {
        self.put(&Rectangle::new(
            [self.at(from), self.at(to)],
            self.fill(ink, alpha),
        ))
    }

    /// A marker of a series: a disc, square, diamond or triangle with a rim of the page's colour.
    pub(crate) fn marker(
        &self,
        (x, y): (f64, f64),
        series: u8,
        radius: f64,
    ) -> Result<(), ChartError> {
        let ink = Ink::Series(series);
        for (r, ink) in [(radius + 1.0, Ink::Surface), (radius, ink)] {
            match series % 4 {
                0 => self.put(&Rectangle::new(
                    [
                        self.at((x - r * 0.85, y - r * 0.85)),
                        self.at((x + r * 0.85, y + r * 0.85)),
                    ],
                    self.fill(ink, 1.0),
                ))?,
                1 => self.polygon(
                    &[
                        (x, y - r * 1.15),
                        (x + r * 1.1, y + r * 0.8),
                        (x - r * 1.1, y + r * 0.8),
                    ],
                    ink,
                    1.0,
                )?,
                2 => {
                    let radius = (r * self.scale).round().max(1.0) as u32;
                    self.put(&Circle::new(self.at((x, y)), radius, self.fill(ink, 1.0)))?;
                }
                _ => self.polygon(
                    &[
                        (x, y - r * 1.2),
                        (x + r * 1.2, y),
                        (x, y + r * 1.2),
                        (x - r * 1.2, y),
                    ],
                    ink,
                    1.0,
                )?,
            }
        }
        Ok(())
    }

    /// A cross, the sign of a failure.
    pub(crate) fn cross(
        &self,
        (x, y): (f64, f64),
        ink: Ink,
        radius: f64,
    ) -> Result<(), ChartError> {
        self.line(
            &[(x - radius, y - radius), (x + radius, y + radius)],
            ink,
            1.0,
            2.0,
        )?;
        self.line(
            &[(x - radius, y + radius), (x + radius, y - radius)],
            ink,
            1.0,
            2.0,
        )
    }

    /// A text, vertically centred on its point. `size` is the font size in logical pixels.
    pub(crate) fn text(
        &self,
        text: &str,
        point: (f64, f64),
        anchor: Anchor,
        ink: Ink,
        size: f64,
        bold: bool,
    ) -> Result<(), ChartError> {
        let clean: String = text
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect();
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font_style = if bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        let font = FontDesc::new(FontFamily::Name(FONT), size * self.scale * 1.24, font_style);
        let colour = self.style(ink, 1.0);
        let style = TextStyle::from(font)
            .color(&colour)
            .pos(Pos::new(h_pos, VPos::Center));
        self.put(&Text::new(clean, self.at(point), style))
    }
}

/// Width of `text` at a font size of `size` logical pixels.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    if font_ready().is_err() {
        return text.chars().count() as f64 * size * 0.6;
    }
    let font = FontDesc::new(FontFamily::Name(FONT), 124.0, FontStyle::Normal);
    // plotters measures at the given size and draws SVG text at 1/1.24 of it; 2 % more for other fonts.
    font.box_size(text)
        .map_or(text.chars().count() as f64 * size * 0.6, |(w, _)| {
            f64::from(w) * size / 100.0
        })
}

/// `text`, cut with an ellipsis to at most `width` logical pixels.
pub(crate) fn fit(text: &str, width: f64, size: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut cut: String = text.to_owned();
    while cut.pop().is_some() {
        let shown = format!("{}…", cut.trim_end());
        if text_width(&shown, size) <= width {
            return shown;
        }
    }
    String::new()
}

fn dashes(points: &[(f64, f64)], dash: f64) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = Vec::new();
    let (mut left, mut on) = (dash, true);
    let mut piece: Vec<(f64, f64)> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let (dx, dy) = (to.0 - from.0, to.1 - from.1);
            let length = dx.hypot(dy);
            if length < left {
                left -= length;
                if on {
                    piece.push(to);
                }
                break;
            }
            from = (from.0 + dx * left / length, from.1 + dy * left / length);
            if on {
                piece.push(from);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![from];
            }
            on = !on;
            left = dash;
        }
    }
    pieces.push(piece);
    pieces.retain(|piece| piece.len() > 1);
    pieces
}

/// The figure as an SVG element, `width` logical pixels wide, ready to stand inside a page.
///
/// # Errors
/// When the font or an operation is refused.
pub fn svg(figure: &dyn Figure, width: u32) -> Result<String, ChartError> {
    font_ready()?;
    let size = figure.size(width);
    let mut text = String::new();
    let marks = {
        let pixels = (
            scaled(size.width, SVG_SCALE),
            scaled(size.height, SVG_SCALE),
        );
        let area = SVGBackend::with_string(&mut text, pixels).into_drawing_area();
        let mut canvas = Canvas {
            surface: Surface::Svg(area),
            scale: SVG_SCALE,
            size,
            figure: figure.name(),
            marks: Vec::new(),
        };
        figure.draw(&mut canvas)?;
        if let Surface::Svg(area) = &canvas.surface {
            area.present().map_err(|e| ChartError::Draw {
                figure: figure.name(),
                reason: e.to_string(),
            })?;
        }
        canvas.marks
    };
    Ok(rewrite(&text, size, figure, &marks))
}

/// The figure as a PNG file in the light colours, at twice the logical size.
///
/// # Errors
/// When the font or an operation is refused, or the bitmap cannot be encoded.
pub fn png(figure: &dyn Figure, width: u32) -> Result<Vec<u8>, ChartError> {
    font_ready()?;
    let size = figure.size(width);
    let (w, h) = (
        scaled(size.width, PNG_SCALE),
        scaled(size.height, PNG_SCALE),
    );
    let mut pixels = vec![255u8; w as usize * h as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (w, h)).into_drawing_area();
        let mut canvas = Canvas {
            surface: Surface::Bitmap(area),
            scale: PNG_SCALE,
            size,
            figure: figure.name(),
            marks: Vec::new(),
        };
        canvas.rect(
            (0.0, 0.0),
            (f64::from(size.width), f64::from(size.height)),
            Ink::Surface,
            1.0,
        )?;
        figure.draw(&mut canvas)?;
        if let Surface::Bitmap(area) = &canvas.surface {
            area.present().map_err(|e| ChartError::Draw {
                figure: figure.name(),
                reason: e.to_string(),
            })?;
        }
    }
    let mut file = std::io::Cursor::new(Vec::new());
    image::write_buffer_with_format(
        &mut file,
        &pixels,
        w,
        h,
        image::ColorType::Rgb8,
        image::ImageOutputFormat::Png,
    )?;
    Ok(file.into_inner())
}

fn scaled(length: u32, scale: f64) -> u32 {
    (f64::from(length) * scale).round() as u32
}

fn rewrite(plotters_svg: &str, size: Size, figure: &dyn Figure, marks: &[Mark]) -> String {
    let mut out = String::with_capacity(plotters_svg.len() + marks.len() * 160);
    let (vw, vh) = (
        scaled(size.width, SVG_SCALE),
        scaled(size.height, SVG_SCALE),
    );
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"figure\" viewBox=\"0 0 {vw} {vh}\" width=\"{}\" height=\"{}\" \
         role=\"group\" aria-label=\"{}\">",
        size.width,
        size.height,
        escape(&format!("{}. {}", figure.name(), figure.description())),
    );
    for line in plotters_svg.lines() {
        let line = line.trim_end();
        if line.starts_with("<svg")
            || line.starts_with("<?xml")
            || line.starts_with("</svg")
            || line.is_empty()
        {
            continue;
        }
        // A line that starts otherwise is the content of a text element.
        if line.starts_with('<') {
            inked(line, &mut out);
        } else {
            out.push_str(line);
        }
    }
    if !marks.is_empty() {
        out.push_str("<g class=\"hits\">");
        for mark in marks {
            hit(mark, &mut out);
        }
        out.push_str("</g>");
    }
    out.push_str("</svg>");
    out
}

/// Copies one element, turning placeholder colours into variables and dropping the font family.
fn inked(line: &str, out: &mut String) {
    let mut rest = line;
    let mut series = None;
    let start = out.len();
    while let Some(at) = rest.find(['#', 'f']) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = tail.strip_prefix("font-family=\"nightjar\" ") {
            rest = after;
        } else if let Some(after) = tail.strip_prefix("fill=\"none\" opacity=\"") {
            out.push_str("fill=\"none\"");
            rest = opacity(after, out);
        } else if let Some(ink) = tail.get(..7).and_then(Ink::from_placeholder) {
            let RGBColor(r, g, b) = ink.colour();
            let _ = write!(out, "var(--{}, #{r:02x}{g:02x}{b:02x})", ink.variable());
            if let Ink::Series(n) = ink {
                series = Some(n);
            }
            rest = &tail[7..];
        } else {
            let step = tail.chars().next().map_or(1, char::len_utf8);
            out.push_str(&tail[..step]);
            rest = &tail[step..];
        }
    }
    out.push_str(rest);
    if let Some(n) = series
        && let Some(space) = out[start..].find(' ')
    {
        out.insert_str(start + space, &format!(" class=\"s{n}\""));
    }
}

/// Writes the opacity at the start of `text`, or the dashes it stands for; returns the text behind it.
fn opacity<'t>(text: &'t str, out: &mut String) -> &'t str {
    let (value, rest) = text.split_once('"').unwrap_or((text, ""));
    let alpha: f64 = value.parse().unwrap_or(1.0);
    if alpha < DASHED {
        let _ = write!(out, " opacity=\"{value}\"");
    } else if alpha < 1.0 {
        let dash = (alpha - DASHED) * 1e4 * SVG_SCALE;
        let _ = write!(out, " stroke-dasharray=\"{dash:.0}\"");
    }
    rest
}

fn hit(mark: &Mark, out: &mut String) {
    let class = mark
        .series
        .map_or_else(String::new, |n| format!(" class=\"s{n}\""));
    if let Some(href) = &mark.href {
        let _ = write!(out, "<a href=\"{}\" tabindex=\"-1\"{class}>", escape(href));
    } else {
        let _ = write!(out, "<g{class}>");
    }
    let shape = match mark.area {
        Some((w, h)) => format!(
            "<rect x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{:.0}\"",
            mark.x * SVG_SCALE,
            mark.y * SVG_SCALE,
            w * SVG_SCALE,
            h * SVG_SCALE
        ),
        None => format!(
            "<circle cx=\"{:.0}\" cy=\"{:.0}\" r=\"72\"",
            mark.x * SVG_SCALE,
            mark.y * SVG_SCALE
        ),
    };
    let _ = write!(
        out,
        "{shape} fill=\"transparent\"><title>{}</title>",
        escape(&mark.label)
    );
    out.push_str(if mark.area.is_some() {
        "</rect>"
    } else {
        "</circle>"
    });
    out.push_str(if mark.href.is_some() { "</a>" } else { "</g>" });
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hostile;

    impl Figure for Hostile {
        fn name(&self) -> &'static str {
            "test figure"
        }
        fn description(&self) -> String {
            "\"><script>alert(1)</script>".to_owned()
        }
        fn size(&self, width: u32) -> Size {
            Size { width, height: 50 }
        }
        fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), ChartError> {
            canvas.text(
                "<b>&\u{7}#010102",
                (10.0, 10.0),
                Anchor::Start,
                Ink::Text,
                12.0,
                false,
            )?;
            canvas.line(&[(0.0, 0.0), (10.0, 10.0)], Ink::Series(2), 1.0, 2.0)?;
            canvas.mark(Mark {
                x: 5.0,
                y: 5.0,
                series: Some(2),
                label: "<script>".to_owned(),
                href: Some("a\"b".to_owned()),
                area: None,
            });
            Ok(())
        }
    }

    #[test]
    fn names_from_outside_are_escaped_everywhere() {
        let svg = svg(&Hostile, 100).expect("draws");
        assert!(!svg.contains("<script") && !svg.contains("<b>"), "{svg}");
        assert!(svg.contains("href=\"a&quot;b\""), "{svg}");
        assert!(
            svg.contains("#010102"),
            "a name that looks like a colour stays a name: {svg}"
        );
    }

    #[test]
    fn colours_are_variables_and_series_have_a_class() {
        let svg = svg(&Hostile, 100).expect("draws");
        assert!(svg.contains("var(--series-2, #006fb8)"), "{svg}");
        assert!(svg.contains("<polyline class=\"s2\""), "{svg}");
        assert!(!svg.contains("font-family"), "{svg}");
    }

    struct Dashed;

    impl Figure for Dashed {
        fn name(&self) -> &'static str {
            "dashes"
        }
        fn description(&self) -> String {
            String::new()
        }
        fn size(&self, width: u32) -> Size {
            Size { width, height: 50 }
        }
        fn draw(&self, canvas: &mut Canvas<'_>) -> Result<(), ChartError> {
            canvas.dashed(&[(0.0, 0.0), (99.0, 10.0)], Ink::Series(3), 2.0, 5.0)
        }
    }

    #[test]
    fn a_dashed_line_is_one_element() {
        let picture = svg(&Dashed, 100).expect("draws");
        assert!(picture.contains("stroke-dasharray=\"40\""), "{picture}");
        assert_eq!(picture.matches("<polyline").count(), 1);
        png(&Dashed, 100).expect("draws in pieces");
    }

    #[test]
    fn a_bitmap_is_a_png_of_twice_the_size() {
        let file = png(&Hostile, 100).expect("draws");
        assert_eq!(&file[1..4], b"PNG");
        assert_eq!(
            u32::from_be_bytes([file[16], file[17], file[18], file[19]]),
            200
        );
    }

    #[test]
    fn dashes_cover_half_the_way() {
        let pieces = dashes(&[(0.0, 0.0), (10.0, 0.0)], 2.0);
        let length: f64 = pieces.iter().map(|p| p[p.len() - 1].0 - p[0].0).sum();
        assert!((length - 6.0).abs() < 1e-9, "{pieces:?}");
    }

    #[test]
    fn long_names_are_cut_to_the_width() {
        let cut = fit("a_very_long_benchmark_name_indeed", 80.0, 12.0);
        assert!(
            cut.ends_with('…') && text_width(&cut, 12.0) <= 80.0,
            "{cut}"
        );
    }
}
