//! The report as a picture for a terminal, in letters.

use super::super::Report;
use super::picture::{
    CertificateRow, ChainRows, Picture, VerifiesRow, VerifiesState, View, fit, ticks,
};
use crate::policy::Band;
use crate::time::{Timestamp, Validity, span};

/// Narrower than this nothing can be told.
const MIN_COLUMNS: usize = 20;

/// Wider than this nobody looks.
const MAX_COLUMNS: usize = 400;

const LEGEND: &str = "= ok, d due, w warning, c critical, x expired, # verifies, / dark: no path \
                      verifies, ^ next cliff, < > goes on, | now, * ends the chain";

pub(super) fn render(report: &Report, columns: usize) -> String {
    let columns = columns.clamp(MIN_COLUMNS, MAX_COLUMNS);
    let picture = Picture::of(report);
    let mut screen = Screen::new(&picture, columns);
    screen.sentence("", &picture.title);
    for headline in &picture.headlines {
        screen.sentence("", headline);
    }
    if !picture.chains.is_empty() {
        screen.line("");
        screen.axis(&picture);
        for (index, rows) in picture.chains.iter().enumerate() {
            screen.chain(rows, picture.is_under_one_source(index));
        }
        screen.line("");
        if let Some(more) = &picture.more_chains {
            screen.sentence("", more);
        }
        screen.sentence("", LEGEND);
    }
    if !picture.findings.is_empty() {
        screen.line("");
        screen.line("findings");
        for finding in &picture.findings {
            let head = format!("{}  {}", finding.severity, finding.place);
            screen.line(&format!("  {}", fit::cut_middle(&head, columns - 2)));
            screen.sentence("    ", &finding.message);
        }
        if let Some(more) = &picture.more_findings {
            screen.sentence("  ", more);
        }
    }
    screen.text
}

/// Lines of a terminal: a chart on the left, what belongs to it on the right, where a name of unknown
/// width moves nothing.
struct Screen {
    text: String,
    columns: usize,
    /// How many of them the chart takes.
    chart: usize,
    view: View,
    at: Timestamp,
    /// The column of that instant.
    now: usize,
    /// How wide it is what stands before the names.
    standing: usize,
}

impl Screen {
    fn new(picture: &Picture, columns: usize) -> Self {
        let chart = columns * 9 / 20;
        let certificates = picture.chains.iter().flat_map(|rows| &rows.certificates);
        let standing = certificates.map(|row| row.standing.len()).max();
        // Where there is little room, nothing is aligned.
        let room = (columns - chart).saturating_sub(24);
        let mut screen = Self {
            text: String::new(),
            columns,
            chart,
            view: picture.view,
            at: picture.at,
            now: 0,
            standing: standing.filter(|width| *width <= room).unwrap_or(0),
        };
        screen.now = screen.column(picture.at).min(chart.saturating_sub(1));
        screen
    }

    /// In which column an instant lies: the chart's width, where it lies behind the chart.
    fn column(&self, t: Timestamp) -> usize {
        let chart = i64::try_from(self.chart).unwrap_or(0);
        let part = self.view.part(t, chart).clamp(0, chart);
        usize::try_from(part).unwrap_or(0)
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Wrapped, with something before each line.
    fn sentence(&mut self, before: &str, sentence: &str) {
        for line in fit::wrap(sentence, self.columns - before.len()) {
            self.line(&format!("{before}{line}"));
        }
    }

    /// The date of now, the round instants, and their ruler.
    fn axis(&mut self, picture: &Picture) {
        let now = format!("{}now {}", " ".repeat(self.now), picture.at);
        let now = if now.len() <= self.columns {
            now
        } else {
            format!("{}now", " ".repeat(self.now))
        };
        self.line(&now);
        let mut ruler = vec!['-'; self.chart];
        let mut labels = String::new();
        for tick in ticks(self.view, self.chart) {
            let column = self.column(tick.at);
            let Some(mark) = ruler.get_mut(column) else {
                continue;
            };
            *mark = '+';
            let is_free = labels.is_empty() || labels.len() < column;
            if is_free && column + tick.label.len() <= self.columns {
                labels.push_str(&" ".repeat(column - labels.len()));
                labels.push_str(&tick.label);
            }
        }
        if let Some(mark) = ruler.get_mut(self.now) {
            *mark = '|';
        }
        self.line(&String::from_iter(ruler));
        if !labels.is_empty() {
            self.line(&labels);
        }
    }

    fn chain(&mut self, rows: &ChainRows, is_under_one_source: bool) {
        if !is_under_one_source {
            self.line("");
            let band = match rows.is_single() {
                true => String::new(),
                false => format!(": {}", rows.band),
            };
            let source = fit::cut_middle(&rows.source, self.columns - band.len());
            self.line(&format!("{source}{band}"));
        }
        for row in &rows.verifies {
            self.verifies(row);
        }
        for row in &rows.certificates {
            self.certificate(row);
        }
        if rows.more_certificates > 0 {
            let more = format!("and {} more certificates", rows.more_certificates);
            self.sentence("  ", &more);
        }
        for note in &rows.notes {
            self.sentence("  ", note);
        }
    }

    fn verifies(&mut self, row: &VerifiesRow) {
        let mut bar = vec![' '; self.chart];
        for window in &row.lit {
            self.mark(&mut bar, *window, '#');
        }
        for gap in &row.dark {
            self.mark(&mut bar, *gap, '/');
        }
        if let Some(cliff) = row.cliff {
            let column = self.column(cliff);
            if let Some(mark) = bar.get_mut(column) {
                *mark = '^';
            }
        }
        for window in &row.lit {
            self.arrows(&mut bar, *window);
        }
        let standing = match row.state {
            VerifiesState::Until(Timestamp::MAX) => "without end".to_owned(),
            VerifiesState::Until(end) => format!("in {}", span::brief(end.seconds_since(self.at))),
            VerifiesState::DoesNotVerify => "does not verify".to_owned(),
            VerifiesState::NotGood(status) => format!("not good: {status}"),
        };
        self.row(bar, ' ', &standing, &row.who.join(" "));
    }

    fn certificate(&mut self, row: &CertificateRow) {
        let mut bar = vec![' '; self.chart];
        // From the best to the worst: what is worse is seen, however short.
        for stretch in &row.stretches {
            let letter = match stretch.band {
                Band::Ok => '=',
                Band::Due => 'd',
                Band::Warning => 'w',
                Band::Critical => 'c',
                Band::NotYetValid | Band::Expired | Band::Broken => 'x',
            };
            self.mark(&mut bar, stretch.span, letter);
        }
        let last = row.stretches.last().map(|stretch| stretch.span.not_after);
        let drawn = Validity {
            not_before: row.validity.not_before,
            not_after: last.unwrap_or(row.validity.not_after),
        };
        self.arrows(&mut bar, drawn);
        let mark = if row.is_limiting { '*' } else { ' ' };
        let name = format!("{} {}", row.position, row.name);
        self.row(bar, mark, &row.standing, &name);
    }

    /// What of these seconds lies in the chart.
    fn mark(&self, bar: &mut [char], span: Validity, letter: char) {
        let is_seen = span.not_before <= self.view.last && self.view.first <= span.not_after;
        if is_seen && span.not_before <= span.not_after {
            let (first, last) = (self.column(span.not_before), self.column(span.not_after));
            let cells = bar.iter_mut().take(last + 1).skip(first);
            cells.for_each(|cell| *cell = letter);
        }
    }

    /// What goes on beyond the chart says so.
    fn arrows(&self, bar: &mut [char], span: Validity) {
        if let Some(first) = bar
            .first_mut()
            .filter(|_| span.not_before < self.view.first)
        {
            *first = '<';
        }
        if let Some(last) = bar.last_mut().filter(|_| span.not_after > self.view.last) {
            *last = '>';
        }
    }

    /// One row: the chart with now, and beside it what fits.
    fn row(&mut self, mut bar: Vec<char>, mark: char, standing: &str, name: &str) {
        if let Some(now) = bar.get_mut(self.now) {
            *now = '|';
        }
        let width = self.standing;
        let words = format!("{standing:width$}  {name}");
        let words = fit::cut(&words, self.columns - self.chart - 3);
        self.line(&format!("{} {mark} {words}", String::from_iter(bar)));
    }
}
