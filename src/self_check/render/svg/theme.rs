//! Colours and patterns. Whoever sees no colours tells the bands by their patterns, and whatever has a
//! meaning has an outline or a text in the ink, which stands out from the page.

use super::drawing::Drawing;
use crate::policy::Band;

/// The colours of a picture's page and ink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Theme {
    /// As whoever looks at it prefers (`prefers-color-scheme`); light where that is not known.
    #[default]
    Auto,
    /// Dark ink on a light page.
    Light,
    /// Light ink on a dark page.
    Dark,
}

/// The colours that a theme sets. Each has a class of its name, which `Theme::Auto` sets anew.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub(super) page: &'static str,
    pub(super) ink: &'static str,
    /// Of text that is not read first.
    pub(super) quiet: &'static str,
    /// Of lines that carry no meaning.
    pub(super) rule: &'static str,
}

const LIGHT: Palette = Palette {
    page: "#ffffff",
    ink: "#1a1a1a",
    quiet: "#595959",
    rule: "#d4d4d4",
};

const DARK: Palette = Palette {
    page: "#14171c",
    ink: "#ececec",
    quiet: "#a9adb3",
    rule: "#3a3f47",
};

impl Theme {
    pub(super) const fn palette(self) -> Palette {
        match self {
            Self::Auto | Self::Light => LIGHT,
            Self::Dark => DARK,
        }
    }

    /// What makes `Auto` dark where that is preferred; a viewer that does not know it stays light.
    pub(super) fn style(self) -> Option<String> {
        let Palette {
            page,
            ink,
            quiet,
            rule,
        } = DARK;
        (self == Self::Auto).then(|| {
            format!(
                "@media (prefers-color-scheme:dark){{.notafter .page{{fill:{page}}}.notafter .ink{{fill:{ink}}}\
                 .notafter .edge{{stroke:{ink}}}.notafter .quiet{{fill:{quiet}}}.notafter .rule{{stroke:{rule}}}}}"
            )
        })
    }
}

/// How something is filled: with a colour, and with a pattern over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fill {
    /// `None` where the page shows through.
    pub(super) colour: Option<&'static str>,
    pub(super) pattern: Option<&'static str>,
}

const OK: &str = "#009e73";
const DUE: &str = "#0072b2";
const WARNING: &str = "#e69f00";
const CRITICAL: &str = "#d55e00";
const EXPIRED: &str = "#5c5c5c";

/// Where no path verifies.
pub(super) const DARKNESS: Fill = Fill {
    colour: None,
    pattern: Some("url(#notafter-dark)"),
};

impl Fill {
    /// From the colours of Okabe and Ito, which the colour-blind tell apart.
    pub(super) const fn of(band: Band) -> Self {
        let (colour, pattern) = match band {
            Band::Ok => (OK, None),
            Band::Due => (DUE, Some("url(#notafter-due)")),
            Band::Warning => (WARNING, Some("url(#notafter-warning)")),
            Band::Critical => (CRITICAL, Some("url(#notafter-critical)")),
            Band::Expired => (EXPIRED, Some("url(#notafter-expired)")),
            Band::NotYetValid | Band::Broken => return DARKNESS,
        };
        Self {
            colour: Some(colour),
            pattern,
        }
    }
}

/// What is repeated over a band's colour, as the data of a path.
struct Pattern {
    id: &'static str,
    /// Of its square, in pixels.
    size: i64,
    degrees: i64,
    data: &'static str,
    width: &'static str,
    stroke: Stroke,
}

enum Stroke {
    Fixed(&'static str),
    /// As the theme has it.
    Ink,
}

const BLACK: Stroke = Stroke::Fixed("#000000");
const WHITE: Stroke = Stroke::Fixed("#ffffff");

const PATTERNS: [Pattern; 5] = [
    pattern("notafter-due", 5, 45, "M1.5 2.5H3.5", "2", WHITE),
    pattern("notafter-warning", 5, 45, "M1 0V5", "1.2", BLACK),
    pattern("notafter-critical", 4, 0, "M0 1H4M1 0V4", "1", BLACK),
    pattern("notafter-expired", 6, 0, "M1 1L5 5M5 1L1 5", "1", WHITE),
    pattern("notafter-dark", 5, -45, "M1 0V5", "1.2", Stroke::Ink),
];

const fn pattern(
    id: &'static str,
    size: i64,
    degrees: i64,
    data: &'static str,
    width: &'static str,
    stroke: Stroke,
) -> Pattern {
    Pattern {
        id,
        size,
        degrees,
        data,
        width,
        stroke,
    }
}

/// Dots, diagonals, a grid, crosses, and the hatch of darkness.
pub(super) fn define_patterns(drawing: &mut Drawing, palette: Palette) {
    drawing.begin("defs", &[]);
    for pattern in &PATTERNS {
        drawing.begin(
            "pattern",
            &[
                ("id", &pattern.id),
                ("width", &pattern.size),
                ("height", &pattern.size),
                ("patternUnits", &"userSpaceOnUse"),
                (
                    "patternTransform",
                    &format_args!("rotate({})", pattern.degrees),
                ),
            ],
        );
        let (class, stroke) = match pattern.stroke {
            Stroke::Fixed(colour) => ("mark", colour),
            Stroke::Ink => ("edge", palette.ink),
        };
        drawing.empty(
            "path",
            &[
                ("class", &class),
                ("d", &pattern.data),
                ("stroke", &stroke),
                ("stroke-width", &pattern.width),
            ],
        );
        drawing.end();
    }
    drawing.end();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(colour: &str) -> f64 {
        let channel = |n: usize| {
            let byte = u8::from_str_radix(colour.get(n..n + 2).unwrap(), 16).unwrap();
            let c = f64::from(byte) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_stands_out_from_the_page_and_patterns_from_their_colours() {
        // WCAG 2.2, 1.4.3 (AA: 4.5 for text) and 1.4.11 (3 for what carries a meaning).
        for palette in [LIGHT, DARK] {
            assert!(contrast(palette.ink, palette.page) >= 7.0);
            assert!(contrast(palette.quiet, palette.page) >= 4.5);
            for colour in [OK, DUE, WARNING, CRITICAL, EXPIRED] {
                // Its outline is ink.
                let outlined =
                    contrast(colour, palette.page) >= 3.0 || contrast(palette.ink, colour) >= 3.0;
                assert!(outlined, "{colour} on {}", palette.page);
            }
        }
        for band in [Band::Due, Band::Warning, Band::Critical, Band::Expired] {
            let fill = Fill::of(band);
            let pattern = PATTERNS
                .iter()
                .find(|pattern| fill.pattern == Some(format!("url(#{})", pattern.id).as_str()));
            let Stroke::Fixed(mark) = pattern.unwrap().stroke else {
                panic!("{band} has a colour, its pattern needs one too");
            };
            assert!(contrast(fill.colour.unwrap(), mark) >= 3.0, "{band}");
        }
    }

    #[test]
    fn no_two_bands_of_a_bar_look_alike_without_colours() {
        let bands = [
            Band::Ok,
            Band::Due,
            Band::Warning,
            Band::Critical,
            Band::Expired,
            Band::Broken,
        ];
        for (n, band) in bands.iter().enumerate() {
            for other in &bands[n + 1..] {
                assert_ne!(Fill::of(*band).pattern, Fill::of(*other).pattern);
            }
        }
    }
}
