//! Drawing text and bars at their places.

use std::fmt::Display;

use super::super::picture::{View, fit};
use super::drawing::{Drawing, Tenths};
use super::theme::{Fill, Palette};
use crate::time::{Timestamp, Validity};

/// The picture's width, in pixels.
pub(super) const WIDTH: i64 = 960;
pub(super) const MARGIN: i64 = 16;
/// Where the chart begins, and how wide it is.
pub(super) const CHART_X: i64 = 316;
pub(super) const CHART_WIDTH: i64 = 456;
pub(super) const CHART_END: i64 = CHART_X + CHART_WIDTH;

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lettering {
    Title,
    Heading,
    Strong,
    Plain,
    /// Not read first.
    Quiet,
}

impl Lettering {
    const fn size(self) -> i64 {
        match self {
            Self::Title => 16,
            Self::Heading => 13,
            Self::Strong | Self::Plain | Self::Quiet => 11,
        }
    }

    /// How many columns fit into so many pixels: of a monospaced font a letter is six tenths of its
    /// size wide, or a little more.
    pub(super) fn columns(self, pixels: i64) -> usize {
        usize::try_from(pixels * 100 / (self.size() * 61)).unwrap_or(0)
    }
}

/// Draws at places that are given by pixels from the top left, or by instants.
#[derive(Debug)]
pub(super) struct Pen {
    pub(super) drawing: Drawing,
    /// What stands before everything else.
    pub(super) notes: Drawing,
    pub(super) palette: Palette,
    pub(super) view: View,
}

impl Pen {
    pub(super) fn new(palette: Palette, view: View) -> Self {
        Self {
            drawing: Drawing::default(),
            notes: Drawing::default(),
            palette,
            view,
        }
    }

    /// Text on this base line.
    pub(super) fn text(&mut self, x: i64, y: i64, lettering: Lettering, text: &str) {
        if text.is_ascii() {
            return self.letters(x, y, lettering, text);
        }
        // What a font makes of other letters may be wider and higher than they count: it ends at the
        // edges of its line.
        let size = lettering.size();
        let width = i64::try_from(fit::columns(text)).unwrap_or(WIDTH) * size * 62 / 100;
        self.drawing.begin(
            "svg",
            &[
                ("x", &x),
                ("y", &(y - size - 1)),
                ("width", &width.clamp(1, WIDTH)),
                ("height", &(size + 6)),
            ],
        );
        self.letters(0, size + 1, lettering, text);
        self.drawing.end();
    }

    fn letters(&mut self, x: i64, y: i64, lettering: Lettering, text: &str) {
        let (class, colour) = match lettering {
            Lettering::Quiet => ("quiet", self.palette.quiet),
            _ => ("ink", self.palette.ink),
        };
        let size = lettering.size();
        let look: [(&'static str, &dyn Display); 6] = [
            ("class", &class),
            ("x", &x),
            ("y", &y),
            ("font-size", &size),
            ("fill", &colour),
            ("font-weight", &"bold"),
        ];
        // The weight stands last, and is left out where it is the normal one.
        let look = match lettering {
            Lettering::Plain | Lettering::Quiet => look.get(..5).unwrap_or(&look),
            Lettering::Title | Lettering::Heading | Lettering::Strong => &look,
        };
        self.drawing.text("text", look, text);
    }

    /// A sentence before everything else, on a piece of the page's colour.
    pub(super) fn note(&mut self, x: i64, y: i64, text: &str) {
        std::mem::swap(&mut self.drawing, &mut self.notes);
        let width = i64::try_from(fit::columns(text)).unwrap_or(WIDTH) * 7;
        self.page(x - 2, y - 12, width.min(WIDTH), 16);
        self.text(x, y, Lettering::Plain, text);
        std::mem::swap(&mut self.drawing, &mut self.notes);
    }

    /// A piece of the page, which covers what was drawn there before.
    pub(super) fn page(&mut self, x: i64, y: i64, width: i64, height: i64) {
        let page = self.palette.page;
        self.drawing.empty(
            "rect",
            &[
                ("class", &"page"),
                ("x", &x),
                ("y", &y),
                ("width", &width),
                ("height", &height),
                ("fill", &page),
            ],
        );
    }

    /// Where an instant lies, inside of the chart or not.
    fn x(&self, t: Timestamp) -> Tenths {
        Tenths(CHART_X * 10 + self.view.part(t, CHART_WIDTH * 10))
    }

    /// Where an instant lies; `None` outside of the chart.
    pub(super) fn x_inside(&self, t: Timestamp) -> Option<Tenths> {
        let x = self.x(t);
        (CHART_X * 10..=CHART_END * 10).contains(&x.0).then_some(x)
    }

    /// What of these seconds lies in the view, from where to where, at least so many tenths wide.
    pub(super) fn extent(&self, span: Validity, least: i64) -> Option<(Tenths, Tenths)> {
        let (left, right) = (CHART_X * 10, CHART_END * 10);
        let begin = self.x(span.not_before).0;
        let end = self.x(span.not_after.saturating_add(1)).0;
        if begin >= right || end < left || span.not_before > span.not_after {
            return None;
        }
        let begin = begin.clamp(left, right - least);
        let end = end.clamp(begin + least, right);
        (begin < end).then_some((Tenths(begin), Tenths(end)))
    }

    /// A part of a bar.
    pub(super) fn fill(&mut self, extent: (Tenths, Tenths), y: i64, height: i64, fill: Fill) {
        for colour in [fill.colour, fill.pattern].into_iter().flatten() {
            self.rectangle(extent, y, height, &[("fill", &colour)]);
        }
    }

    /// A part of a bar in the colour of the ink.
    pub(super) fn ink(&mut self, extent: (Tenths, Tenths), y: i64, height: i64) {
        let ink = self.palette.ink;
        self.rectangle(extent, y, height, &[("class", &"ink"), ("fill", &ink)]);
    }

    /// The outline of a bar.
    pub(super) fn outline(&mut self, extent: (Tenths, Tenths), y: i64, height: i64, width: &str) {
        let ink = self.palette.ink;
        let look: [(&'static str, &dyn Display); 4] = [
            ("class", &"edge"),
            ("fill", &"none"),
            ("stroke", &ink),
            ("stroke-width", &width),
        ];
        self.rectangle(extent, y, height, &look);
    }

    fn rectangle(
        &mut self,
        (begin, end): (Tenths, Tenths),
        y: i64,
        height: i64,
        look: &[(&'static str, &dyn Display)],
    ) {
        let width = Tenths(end.0 - begin.0);
        let place: [(&'static str, &dyn Display); 4] = [
            ("x", &begin),
            ("y", &y),
            ("width", &width),
            ("height", &height),
        ];
        self.drawing.empty("rect", &[&place, look].concat());
    }

    /// A figure in the colour of the ink, given as the data of a path.
    pub(super) fn figure(&mut self, data: &str) {
        let ink = self.palette.ink;
        let look: [(&'static str, &dyn Display); 3] =
            [("class", &"ink"), ("d", &data), ("fill", &ink)];
        self.drawing.empty("path", &look);
    }

    /// Arrows at the edges of the chart, where a bar goes on beyond them.
    pub(super) fn arrows(&mut self, span: Validity, y: i64, height: i64) {
        let (middle, bottom) = (y + height / 2, y + height);
        if span.not_before < self.view.first {
            let x = CHART_X - 2;
            self.figure(&format!("M{x} {y}L{} {middle}L{x} {bottom}Z", x - 7));
        }
        if span.not_after > self.view.last {
            let x = CHART_END + 2;
            self.figure(&format!("M{x} {y}L{} {middle}L{x} {bottom}Z", x + 7));
        }
    }

    /// A line from top to bottom.
    pub(super) fn upright(&mut self, x: Tenths, from: i64, to: i64, line: UprightLine) {
        let palette = self.palette;
        let (class, colour, width, dashes) = match line {
            UprightLine::Rule => ("rule", palette.rule, "1", "none"),
            UprightLine::Now => ("edge", palette.ink, "2", "none"),
            UprightLine::End(0) => ("edge", palette.ink, "1.5", "none"),
            UprightLine::End(1) => ("edge", palette.ink, "1.5", "4 2"),
            UprightLine::End(_) => ("edge", palette.ink, "1.5", "1 2"),
        };
        self.drawing.empty(
            "path",
            &[
                ("class", &class),
                ("d", &format_args!("M{x} {from}V{to}")),
                ("stroke", &colour),
                ("stroke-width", &width),
                ("stroke-dasharray", &dashes),
            ],
        );
    }
}

/// What a line from top to bottom says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UprightLine {
    /// A round instant.
    Rule,
    /// The instant that was asked about.
    Now,
    /// The effective notAfter of the row of this number.
    End(usize),
}
