//! Colours by role. Pages define each role as a CSS variable, so a figure follows light and dark.
//!
//! The series hues are those of Okabe and Ito's palette, darkened or lightened until each has a contrast of
//! at least 3:1 on its background; lines also differ by dash and marker, so that hue is never alone.

use plotters::style::RGBColor;

/// The role of a line, area or text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// The n-th series of a figure, 0..8; more wrap around.
    Series(u8),
    /// Main text.
    Text,
    /// Secondary text.
    Muted,
    /// Grid lines.
    Grid,
    /// Axis lines.
    Axis,
    /// What failed or got slower.
    Bad,
    /// What got faster.
    Good,
    /// The page behind the figure.
    Surface,
    /// A test outcome, by its place in the order pass, xfail, skip, xpass, fail, error, timeout, crash.
    Outcome(u8),
    /// Text on a coloured area.
    OnColour,
}

const SERIES: [(u8, u8, u8); 8] = [
    (0x5f, 0x6b, 0x7a), // slate
    (0xc2, 0x76, 0x00), // orange
    (0x00, 0x6f, 0xb8), // blue
    (0x00, 0x8a, 0x62), // green
    (0xb0, 0x4f, 0x8c), // purple
    (0x1d, 0x8f, 0xc7), // sky
    (0xc4, 0x4e, 0x00), // vermilion
    (0x8a, 0x7a, 0x00), // olive
];

const OUTCOMES: [(u8, u8, u8); 8] = [
    (0x00, 0x8a, 0x62), // pass
    (0x7c, 0xc3, 0xa8), // xfail
    (0xb8, 0xc0, 0xcb), // skip
    (0x1d, 0x8f, 0xc7), // xpass
    (0xe0, 0x96, 0x1a), // fail
    (0xc4, 0x4e, 0x00), // error
    (0xb0, 0x4f, 0x8c), // timeout
    (0x3a, 0x2a, 0x3f), // crash
];

impl Ink {
    /// The name of its CSS variable, without the dashes.
    pub(crate) fn variable(self) -> String {
        match self {
            Self::Series(n) => format!("series-{}", n % 8),
            Self::Text => "text".to_owned(),
            Self::Muted => "muted".to_owned(),
            Self::Grid => "grid".to_owned(),
            Self::Axis => "axis".to_owned(),
            Self::Bad => "bad".to_owned(),
            Self::Good => "good".to_owned(),
            Self::Surface => "surface".to_owned(),
            Self::Outcome(n) => format!("outcome-{}", n % 8),
            Self::OnColour => "on-colour".to_owned(),
        }
    }

    /// The colour used where there are no CSS variables: the light scheme.
    pub(crate) fn colour(self) -> RGBColor {
        let (r, g, b) = match self {
            Self::Series(n) => SERIES[usize::from(n % 8)],
            Self::Text => (0x17, 0x1c, 0x26),
            Self::Muted => (0x5a, 0x64, 0x75),
            Self::Grid => (0xe4, 0xe8, 0xee),
            Self::Axis => (0xa8, 0xb1, 0xbf),
            Self::Bad => (0xc2, 0x36, 0x16),
            Self::Good => (0x00, 0x7a, 0x57),
            Self::Surface | Self::OnColour => (0xff, 0xff, 0xff),
            Self::Outcome(n) => OUTCOMES[usize::from(n % 8)],
        };
        RGBColor(r, g, b)
    }

    /// A colour no figure uses otherwise, by which the ink is found again in plotters' SVG text.
    pub(crate) fn placeholder(self) -> RGBColor {
        let (kind, n) = match self {
            Self::Series(n) => (1, n % 8),
            Self::Outcome(n) => (2, n % 8),
            Self::Text => (3, 0),
            Self::Muted => (3, 1),
            Self::Grid => (3, 2),
            Self::Axis => (3, 3),
            Self::Bad => (3, 4),
            Self::Good => (3, 5),
            Self::Surface => (3, 6),
            Self::OnColour => (3, 7),
        };
        RGBColor(1, kind, n)
    }

    /// The ink whose placeholder is `#RRGGBB`.
    pub(crate) fn from_placeholder(hex: &str) -> Option<Self> {
        let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        if byte(1)? != 1 {
            return None;
        }
        let n = byte(5)?;
        match (byte(3)?, n) {
            (1, 0..8) => Some(Self::Series(n)),
            (2, 0..8) => Some(Self::Outcome(n)),
            (3, _) => [
                Self::Text,
                Self::Muted,
                Self::Grid,
                Self::Axis,
                Self::Bad,
                Self::Good,
                Self::Surface,
                Self::OnColour,
            ]
            .get(usize::from(n))
            .copied(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_leads_back_to_its_ink() {
        let mut all: Vec<Ink> = (0..8)
            .flat_map(|n| [Ink::Series(n), Ink::Outcome(n)])
            .collect();
        all.extend([
            Ink::Text,
            Ink::Muted,
            Ink::Grid,
            Ink::Axis,
            Ink::Bad,
            Ink::Good,
            Ink::Surface,
            Ink::OnColour,
        ]);
        for ink in all {
            let RGBColor(r, g, b) = ink.placeholder();
            assert_eq!(
                Ink::from_placeholder(&format!("#{r:02X}{g:02X}{b:02X}")),
                Some(ink)
            );
        }
        assert_eq!(Ink::from_placeholder("#C44E00"), None);
    }
}
