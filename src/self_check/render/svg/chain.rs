//! The rows of one chain.

use super::super::picture::{CertificateRow, ChainRows, VerifiesRow, VerifiesState, fit};
use super::drawing::Tenths;
use super::pen::{CHART_END, CHART_X, Lettering, MARGIN, Pen, UprightLine, WIDTH};
use super::theme::{DARKNESS, Fill};
use crate::time::{Timestamp, Validity};

const ROW: i64 = 18;
const LABEL_X: i64 = MARGIN + 12;
const STANDING_X: i64 = CHART_END + 13;

/// So many lines has a note at the most.
const NOTE_LINES: usize = 3;

/// Draws a chain below `y`; where it ends.
pub(super) fn draw(pen: &mut Pen, rows: &ChainRows, is_under_one_source: bool, y: i64) -> i64 {
    let mut y = y;
    if !is_under_one_source {
        y += 22;
        heading(pen, rows, y);
        y += 4;
    }
    let top = y;
    for row in &rows.verifies {
        verifies(pen, row, y);
        y += ROW;
    }
    for note in &rows.notes {
        y = draw_note(pen, note, y);
    }
    for row in &rows.certificates {
        certificate(pen, row, y);
        y += ROW;
    }
    // Over the bars that they end.
    let ends = rows.verifies.iter().enumerate();
    for (n, row) in ends {
        let VerifiesState::Until(end) = row.state else {
            continue;
        };
        if let Some(x) = pen.x_inside(end.saturating_add(1)).filter(|_| row.counts) {
            let from = top + ROW * i64::try_from(n).unwrap_or(0) + 3;
            pen.upright(x, from, y, UprightLine::End(n));
        }
    }
    if rows.more_certificates > 0 {
        let more = format!("and {} more certificates", rows.more_certificates);
        pen.text(LABEL_X, y + 13, Lettering::Quiet, &more);
        y += ROW;
    }
    y
}

fn heading(pen: &mut Pen, rows: &ChainRows, y: i64) {
    let room = Lettering::Heading.columns(STANDING_X - 8 - MARGIN);
    let source = fit::cut_middle(&rows.source, room);
    pen.text(MARGIN, y, Lettering::Heading, &source);
    if !rows.is_single() {
        let swatch = (Tenths(STANDING_X * 10), Tenths((STANDING_X + 12) * 10));
        pen.fill(swatch, y - 10, 11, Fill::of(rows.band));
        pen.outline(swatch, y - 10, 11, "0.8");
        pen.text(STANDING_X + 18, y, Lettering::Heading, rows.band.as_str());
    }
}

fn draw_note(pen: &mut Pen, note: &str, y: i64) -> i64 {
    let mut y = y;
    let room = Lettering::Plain.columns(WIDTH - MARGIN - LABEL_X);
    for line in fit::wrap_within(note, room, NOTE_LINES) {
        pen.note(LABEL_X, y + 13, &line);
        y += 16;
    }
    y
}

/// When the chain verifies, thin, and when it is dark.
fn verifies(pen: &mut Pen, row: &VerifiesRow, y: i64) {
    let standing = match row.state {
        VerifiesState::Until(Timestamp::MAX) => "without end".to_owned(),
        VerifiesState::Until(end) => format!("until {}", to_the_minute(end)),
        VerifiesState::DoesNotVerify => "does not verify".to_owned(),
        VerifiesState::NotGood(status) => format!("not good: {status}"),
    };
    pen.drawing.begin("g", &[]);
    let who = row.who.join(", ");
    let title = match row.state {
        VerifiesState::Until(end) => format!("{who}: until {end}"),
        _ => format!("{who}: {standing}"),
    };
    pen.drawing.text("title", &[], &title);
    pen.text(LABEL_X, y + 13, Lettering::Plain, &who);
    for window in &row.lit {
        if let Some(extent) = pen.extent(*window, 10) {
            pen.ink(extent, y + 7, 5);
        }
        pen.arrows(*window, y + 5, 9);
    }
    for gap in &row.dark {
        // However short: it must be seen.
        if let Some(extent) = pen.extent(*gap, 30) {
            pen.fill(extent, y + 4, 11, DARKNESS);
            pen.outline(extent, y + 4, 11, "0.8");
        }
    }
    let cliff = row.cliff.map(|cliff| cliff.saturating_add(1));
    if let Some(x) = cliff.and_then(|cliff| pen.x_inside(cliff)) {
        pen.figure(&cliff_data(x, y + 1));
    }
    pen.text(STANDING_X, y + 13, Lettering::Plain, &standing);
    pen.drawing.end();
}

/// A certificate's bar with its bands.
fn certificate(pen: &mut Pen, row: &CertificateRow, y: i64) {
    let (lettering, edge) = match row.is_limiting {
        true => (Lettering::Strong, "2"),
        false => (Lettering::Plain, "0.8"),
    };
    pen.drawing.begin("g", &[]);
    pen.drawing.text("title", &[], &row.sentence());
    if row.is_limiting {
        pen.figure(&mark_data(MARGIN + 4, y + 9));
    }
    let label = format!("{} {}", row.position, row.name);
    let room = lettering.columns(CHART_X - 12 - LABEL_X);
    pen.text(LABEL_X, y + 13, lettering, &fit::cut(&label, room));
    for stretch in &row.stretches {
        if let Some(extent) = pen.extent(stretch.span, 0) {
            pen.fill(extent, y + 3, 12, Fill::of(stretch.band));
        }
    }
    if let Some(extent) = pen.extent(row.validity, 10) {
        pen.outline(extent, y + 3, 12, edge);
    }
    let drawn = Validity {
        not_before: row.validity.not_before,
        not_after: (row.stretches.last()).map_or(row.validity.not_after, |s| s.span.not_after),
    };
    pen.arrows(drawn, y + 3, 12);
    let room = lettering.columns(WIDTH - MARGIN - STANDING_X);
    pen.text(
        STANDING_X,
        y + 13,
        lettering,
        &fit::cut(&row.standing, room),
    );
    pen.drawing.end();
}

/// `2026-01-10 00:00Z`.
fn to_the_minute(t: Timestamp) -> String {
    let text = t.to_string();
    match text.get(..16) {
        Some(minute) => format!("{}Z", minute.replace('T', " ")),
        None => text,
    }
}

/// The mark of a limiting certificate: a triangle that points at its row.
pub(super) fn mark_data(x: i64, y: i64) -> String {
    format!("M{} {}L{} {y}L{} {}Z", x - 3, y - 5, x + 4, x - 3, y + 5)
}

/// The mark of a cliff: a triangle whose tip is the last second before it.
pub(super) fn cliff_data(x: Tenths, y: i64) -> String {
    let (left, right) = (Tenths(x.0 - 45), Tenths(x.0 + 45));
    format!("M{left} {y}L{right} {y}L{x} {}Z", y + 7)
}
