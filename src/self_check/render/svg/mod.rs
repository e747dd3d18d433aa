//! The report as a picture: SVG 1.1 without scripts, links or fonts from elsewhere, so that it may stand
//! anywhere, also as an `<img>`.
//!
//! It is written by hand: a dozen kinds of elements and one function that escapes do not pay for a crate
//! in everybody's build, and none escapes what cannot be seen.

mod chain;
mod drawing;
mod pen;
mod theme;

pub use theme::Theme;

use super::super::Report;
use super::picture::{FindingText, Picture, fit, ticks};
use crate::policy::Band;
use drawing::{Drawing, Tenths};
use pen::{CHART_END, CHART_WIDTH, CHART_X, Lettering, MARGIN, Pen, UprightLine, WIDTH};
use theme::{DARKNESS, Fill};

/// The lines of a sentence at the most.
const SENTENCE_LINES: usize = 4;

pub(super) fn render(report: &Report, theme: Theme) -> String {
    let picture = Picture::of(report);
    let palette = theme.palette();
    let mut pen = Pen::new(palette, picture.view);
    let mut y = head(&mut pen, &picture);
    if !picture.chains.is_empty() {
        y = legend(&mut pen, y);
        y = chart(&mut pen, &picture, y);
    }
    y = findings(&mut pen, &picture, y);
    let height = y + MARGIN / 2;

    let mut svg = Drawing::default();
    svg.begin(
        "svg",
        &[
            ("xmlns", &"http://www.w3.org/2000/svg"),
            ("width", &WIDTH),
            ("height", &height),
            ("viewBox", &format_args!("0 0 {WIDTH} {height}")),
            ("class", &"notafter"),
            ("style", &"max-width:100%;height:auto"),
            ("role", &"img"),
            ("aria-labelledby", &"notafter-title notafter-description"),
            (
                "font-family",
                &"ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
            ),
        ],
    );
    svg.text("title", &[("id", &"notafter-title")], &picture.title);
    let description = [("id", &"notafter-description" as &dyn std::fmt::Display)];
    svg.text("desc", &description, &in_words(&picture));
    if let Some(style) = theme.style() {
        svg.text("style", &[], &style);
    }
    theme::define_patterns(&mut svg, palette);
    let mut page = Pen::new(palette, picture.view);
    page.page(0, 0, WIDTH, height);
    svg.append(page.drawing);
    svg.append(pen.drawing);
    svg.finish()
}

/// What it shows, for those who cannot see it.
fn in_words(picture: &Picture) -> String {
    let mut words = picture.headlines.clone();
    for chain in &picture.chains {
        words.push(format!("{}: {}", chain.source, chain.band));
    }
    words.extend(picture.more_chains.clone());
    if let Some(severity) = picture.findings.first().map(|finding| finding.severity) {
        let count = picture.findings.len();
        words.push(format!("findings listed: {count}, the worst {severity}"));
    }
    words.extend(picture.more_findings.clone());
    words.join(". ")
}

/// How much was checked, how bad it is, and what fails first.
fn head(pen: &mut Pen, picture: &Picture) -> i64 {
    let mut y = 30;
    let room = WIDTH - 2 * MARGIN;
    let title = fit::cut(&picture.title, Lettering::Title.columns(room));
    pen.text(MARGIN, y, Lettering::Title, &title);
    y += 4;
    for headline in &picture.headlines {
        let columns = Lettering::Heading.columns(room);
        for line in fit::wrap_within(headline, columns, SENTENCE_LINES) {
            y += 18;
            pen.text(MARGIN, y, Lettering::Heading, &line);
        }
        y += 2;
    }
    y + 10
}

/// What the patterns and the marks mean.
fn legend(pen: &mut Pen, y: i64) -> i64 {
    let entry = |pen: &mut Pen, x: i64, label: &str| {
        pen.text(x + 24, y + 10, Lettering::Quiet, label);
        (Tenths(x * 10), Tenths((x + 18) * 10))
    };
    let bands = [
        (16, Band::Ok),
        (70, Band::Due),
        (131, Band::Warning),
        (218, Band::Critical),
        (312, Band::Expired),
    ];
    for (x, band) in bands {
        let sample = entry(pen, x, band.as_str());
        pen.fill(sample, y, 11, Fill::of(band));
        pen.outline(sample, y, 11, "0.8");
    }
    let sample = entry(pen, 406, "verifies");
    pen.ink(sample, y + 3, 5);
    let sample = entry(pen, 500, "dark: no path verifies");
    pen.fill(sample, y, 11, DARKNESS);
    pen.outline(sample, y, 11, "0.8");
    entry(pen, 686, "ends the chain");
    pen.figure(&chain::mark_data(695, y + 5));
    entry(pen, 820, "next cliff");
    pen.figure(&chain::cliff_data(Tenths(8_290), y + 2));
    y + 20
}

/// The axis and the chains.
fn chart(pen: &mut Pen, picture: &Picture, top: i64) -> i64 {
    let axis = top + 34;
    let mut bars = Pen::new(pen.palette, picture.view);
    let mut y = axis;
    for (index, rows) in picture.chains.iter().enumerate() {
        y = chain::draw(&mut bars, rows, picture.is_under_one_source(index), y);
    }
    let bottom = y + 4;

    let room = Lettering::Quiet.columns(CHART_WIDTH);
    for tick in ticks(picture.view, room) {
        let Some(x) = pen.x_inside(tick.at) else {
            continue;
        };
        pen.upright(x, top + 16, bottom, UprightLine::Rule);
        let left = x.0 / 10 - label_width(&tick.label) / 2;
        pen.text(left, top + 12, Lettering::Quiet, &tick.label);
    }
    pen.drawing.append(bars.drawing);
    if let Some(x) = pen.x_inside(picture.at) {
        pen.upright(x, axis, bottom, UprightLine::Now);
        let label = format!("now {}", picture.at);
        let width = label_width(&label);
        let left = (x.0 / 10 - width / 2).clamp(CHART_X, CHART_END - width);
        pen.page(left - 4, axis - 14, width + 8, 15);
        pen.text(left, axis - 3, Lettering::Strong, &label);
    }
    // Nothing runs through sentences.
    pen.drawing.append(bars.notes);
    let mut y = bottom;
    if let Some(more) = &picture.more_chains {
        y += 16;
        pen.text(MARGIN, y, Lettering::Strong, more);
        y += 4;
    }
    y
}

fn label_width(label: &str) -> i64 {
    i64::try_from(label.len()).unwrap_or(0) * 66 / 10
}

/// Every finding, what could not be read among them.
fn findings(pen: &mut Pen, picture: &Picture, y: i64) -> i64 {
    if picture.findings.is_empty() {
        return y;
    }
    let mut y = y + 22;
    pen.text(MARGIN, y, Lettering::Heading, "Findings");
    for finding in &picture.findings {
        y = draw_finding(pen, finding, y);
    }
    if let Some(more) = &picture.more_findings {
        for line in fit::wrap(more, Lettering::Strong.columns(WIDTH - 2 * MARGIN)) {
            y += 18;
            pen.text(MARGIN, y, Lettering::Strong, &line);
        }
    }
    y + 4
}

fn draw_finding(pen: &mut Pen, finding: &FindingText, y: i64) -> i64 {
    const TEXT_X: i64 = MARGIN + 72;
    let mut y = y + 19;
    let room = Lettering::Plain.columns(WIDTH - MARGIN - TEXT_X);
    pen.text(MARGIN, y, Lettering::Strong, finding.severity.as_str());
    pen.text(
        TEXT_X,
        y,
        Lettering::Strong,
        &fit::cut_middle(&finding.place, room),
    );
    for line in fit::wrap_within(&finding.message, room, SENTENCE_LINES) {
        y += 15;
        pen.text(TEXT_X, y, Lettering::Plain, &line);
    }
    y
}
