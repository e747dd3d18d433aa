//! Colours and patterns. Whoever sees no colours tells the bands by their patterns, and whatever has a
//! meaning has an outline or a text in the ink, which stands out from the page.

use std::fmt::Display;

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

/// The patterns: dots, diagonals, a grid, crosses, and the hatch of darkness.
pub(super) fn define_patterns(drawing: &mut Drawing, palette: Palette) {
    let pattern =
        |drawing: &mut Drawing, id: &dyn Display, size: &dyn Display, turn: &dyn Display| {
            drawing.begin(
                "pattern",
                &[
                    ("id", id),
                    ("width", size),
                    ("height", size),
                    ("patternUnits", &"userSpaceOnUse"),
                    ("patternTransform", turn),
                ],
            );
        };
    drawing.begin("defs", &[]);
    pattern(drawing, &"notafter-due", &5, &"rotate(45)");
    let dot: [(&'static str, &dyn Display); 4] = [
        ("cx", &"2.5"),
        ("cy", &"2.5"),
        ("r", &"1"),
        ("fill", &"#ffffff"),
    ];
    drawing.empty("circle", &dot);
    drawing.end();
    pattern(drawing, &"notafter-warning", &5, &"rotate(45)");
    drawing.empty(
        "path",
        &[
            ("d", &"M1 0V5"),
            ("stroke", &"#000000"),
            ("stroke-width", &"1.2"),
        ],
    );
    drawing.end();
    pattern(drawing, &"notafter-critical", &4, &"rotate(0)");
    drawing.empty(
        "path",
        &[
            ("d", &"M0 1H4M1 0V4"),
            ("stroke", &"#000000"),
            ("stroke-width", &"1"),
        ],
    );
    drawing.end();
    pattern(drawing, &"notafter-expired", &6, &"rotate(0)");
    let cross = "M1 1L5 5M5 1L1 5";
    drawing.empty(
        "path",
        &[
            ("d", &cross),
            ("stroke", &"#ffffff"),
            ("stroke-width", &"1"),
        ],
    );
    drawing.end();
    pattern(drawing, &"notafter-dark", &5, &"rotate(-45)");
    drawing.empty(
        "path",
        &[
            ("class", &"edge"),
            ("d", &"M1 0V5"),
            ("stroke", &palette.ink),
            ("stroke-width", &"1.2"),
        ],
    );
    drawing.end();
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
        for (colour, mark) in [
            (DUE, "#ffffff"),
            (WARNING, "#000000"),
            (CRITICAL, "#000000"),
            (EXPIRED, "#ffffff"),
        ] {
            assert!(contrast(colour, mark) >= 3.0, "{mark} on {colour}");
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
