//! The picture as SVG.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use notafter::self_check::Theme;

use super::reports::{addtrust, all, hostile, small};

const THEMES: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

/// What xmllint prints, asked for this; `None`, with a line, where there is none: in CI there must be.
fn xmllint(svg: &str, args: &[&str]) -> Option<String> {
    let spawned = Command::new("xmllint")
        .args(args)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut process = match spawned {
        Ok(process) => process,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "no xmllint: {error}");
            println!("skipped: there is no xmllint here ({error})");
            return None;
        }
    };
    let mut input = process.stdin.take().unwrap();
    let svg = svg.to_owned();
    let writing = std::thread::spawn(move || input.write_all(svg.as_bytes()));
    let output = process.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.is_empty(), "{said}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The names of all elements.
fn elements(svg: &str) -> BTreeSet<&str> {
    let tags = svg.split('<').skip(1);
    let names = tags.map(|tag| tag.split([' ', '>', '/']).find(|word| !word.is_empty()));
    names.map(Option::unwrap).collect()
}

#[test]
fn every_svg_is_well_formed_and_has_nothing_in_it_that_acts_or_loads() {
    let known: BTreeSet<_> = [
        "svg", "title", "desc", "style", "defs", "pattern", "path", "rect", "text", "g",
    ]
    .into();
    for (name, report) in all() {
        for theme in THEMES {
            let svg = report.to_svg(theme);
            let unknown: Vec<_> = elements(&svg).difference(&known).copied().collect();
            assert!(unknown.is_empty(), "{name}: {unknown:?}");
            // Every reference leads to a pattern in it.
            for reference in svg.split("url(").skip(1) {
                let id = reference.trim_start_matches('#').split(')').next().unwrap();
                assert!(svg.contains(&format!("<pattern id=\"{id}\"")), "{id}");
            }
            for word in [" href=", " onload=", "@import", "@font-face", " src="] {
                let outside: Vec<_> = svg.lines().filter(|l| !l.contains("</")).collect();
                assert!(!outside.join("\n").contains(word), "{name}: {word}");
            }
            assert!(!svg.contains("\n\n"), "{name}: it may stand in Markdown");
            if xmllint(&svg, &["--noout"]).is_none() {
                return;
            }
        }
    }
}

#[test]
fn hostile_names_are_text_and_can_be_seen() {
    let report = hostile();
    let svg = report.to_svg(Theme::Light);
    let timeline = report.to_timeline(200);
    for text in [&svg, &timeline] {
        let raw = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}".contains(c);
        assert!(!text.contains(raw));
        assert!(text.contains("moc.\\u{202e}evil\\u{2066}"), "{text}");
        assert!(text.contains("a\\u{a}\\u{1b}[31m\\u{0}\\u{7f}"), "{text}");
    }
    assert!(!svg.contains(['\u{fffe}', '\u{ffff}']));
    assert!(svg.contains("&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    // A parser reads what was written.
    let texts = "//*[local-name()='text']/text()";
    let Some(texts) = xmllint(&svg, &["--xpath", texts]) else {
        return;
    };
    let texts: Vec<_> = texts.lines().collect();
    for shown in [
        "&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
        "\"/&gt;&lt;image href='https://evil.example/'/&gt;",
        "]]&gt;&amp;lt;&amp;#0;&lt;!--",
    ] {
        assert!(texts.contains(&shown), "no {shown} in {texts:#?}");
    }
}

/// The lines of the row with this title, title and end left aside.
fn row<'s>(svg: &'s str, title: &str) -> Vec<&'s str> {
    let start = format!("<title>{title}");
    let lines = svg.lines().skip_while(|line| !line.starts_with(&start));
    lines.skip(1).take_while(|line| *line != "</g>").collect()
}

#[test]
fn a_small_report_is_drawn_to_the_tenth_of_a_pixel() {
    // The end lies 60 days ahead: the view reaches 63 3/4 days ahead and 21 1/4 back, and its 85 days
    // are 456 pixels wide.
    let svg = small().to_svg(Theme::Light);
    let verifies = [
        "<text class=\"ink\" x=\"28\" y=\"175\" font-size=\"11\" fill=\"#1a1a1a\">rustls, strict, openssl</text>",
        "<rect x=\"316\" y=\"169\" width=\"435.8\" height=\"5\" class=\"ink\" fill=\"#1a1a1a\"/>",
        "<path class=\"ink\" d=\"M314 167L307 171L314 176Z\" fill=\"#1a1a1a\"/>",
        "<text class=\"ink\" x=\"785\" y=\"175\" font-size=\"11\" fill=\"#1a1a1a\">until 2026-03-02 00:00Z</text>",
    ];
    assert_eq!(row(&svg, "rustls, strict, openssl"), verifies);
    let leaf = [
        "<path class=\"ink\" d=\"M17 184L24 189L17 194Z\" fill=\"#1a1a1a\"/>",
        "<text class=\"ink\" x=\"28\" y=\"193\" font-size=\"11\" fill=\"#1a1a1a\" font-weight=\"bold\">leaf a.example</text>",
        "<rect x=\"316\" y=\"183\" width=\"274.9\" height=\"12\" fill=\"#009e73\"/>",
        "<rect x=\"590.9\" y=\"183\" width=\"53.6\" height=\"12\" fill=\"#0072b2\"/>",
        "<rect x=\"590.9\" y=\"183\" width=\"53.6\" height=\"12\" fill=\"url(#notafter-due)\"/>",
        "<rect x=\"644.5\" y=\"183\" width=\"53.7\" height=\"12\" fill=\"#e69f00\"/>",
        "<rect x=\"644.5\" y=\"183\" width=\"53.7\" height=\"12\" fill=\"url(#notafter-warning)\"/>",
        "<rect x=\"698.2\" y=\"183\" width=\"53.6\" height=\"12\" fill=\"#d55e00\"/>",
        "<rect x=\"698.2\" y=\"183\" width=\"53.6\" height=\"12\" fill=\"url(#notafter-critical)\"/>",
        "<rect x=\"316\" y=\"183\" width=\"435.8\" height=\"12\" class=\"edge\" fill=\"none\" stroke=\"#1a1a1a\" stroke-width=\"2\"/>",
        "<path class=\"ink\" d=\"M314 183L307 189L314 195Z\" fill=\"#1a1a1a\"/>",
        "<text class=\"ink\" x=\"785\" y=\"193\" font-size=\"11\" fill=\"#1a1a1a\" font-weight=\"bold\">in 60 d</text>",
    ];
    assert_eq!(row(&svg, "leaf "), leaf);
    let intermediate = [
        "<text class=\"ink\" x=\"28\" y=\"211\" font-size=\"11\" fill=\"#1a1a1a\">intermediate 0 Issuing CA</text>",
        "<rect x=\"316\" y=\"201\" width=\"456\" height=\"12\" fill=\"#009e73\"/>",
        "<rect x=\"316\" y=\"201\" width=\"456\" height=\"12\" class=\"edge\" fill=\"none\" stroke=\"#1a1a1a\" stroke-width=\"0.8\"/>",
        "<path class=\"ink\" d=\"M314 201L307 207L314 213Z\" fill=\"#1a1a1a\"/>",
        "<path class=\"ink\" d=\"M774 201L781 207L774 213Z\" fill=\"#1a1a1a\"/>",
        "<text class=\"ink\" x=\"785\" y=\"211\" font-size=\"11\" fill=\"#1a1a1a\">in 1500 d</text>",
    ];
    assert_eq!(row(&svg, "intermediate 0 "), intermediate);
    // The effective notAfter, and now.
    assert!(
        svg.contains("<path class=\"edge\" d=\"M751.8 165V216\" "),
        "{svg}"
    );
    assert!(
        svg.contains("<path class=\"edge\" d=\"M430 136V220\" "),
        "{svg}"
    );
    assert!(svg.contains(">now 2026-01-01T00:00:00Z</text>"));
}

#[test]
fn the_same_report_gives_the_same_bytes_and_themes_differ_in_colours_alone() {
    let (first, again) = (addtrust(), addtrust());
    for theme in THEMES {
        assert_eq!(first.to_svg(theme), again.to_svg(theme));
    }
    assert_eq!(first.to_timeline(80), again.to_timeline(80));
    for (name, report) in all() {
        let [auto, light, dark] = THEMES.map(|theme| report.to_svg(theme));
        let without_style = |svg: &str| -> String {
            let lines = svg.lines().filter(|line| !line.starts_with("<style>"));
            lines.map(|line| format!("{line}\n")).collect()
        };
        assert_eq!(without_style(&auto), light, "{name}");
        let colours = [
            ("#14171c", "#ffffff"),
            ("#ececec", "#1a1a1a"),
            ("#a9adb3", "#595959"),
            ("#3a3f47", "#d4d4d4"),
        ];
        let lit = colours.iter().fold(dark.clone(), |svg, (dark, light)| {
            assert!(auto.contains(dark), "{dark} is preferred in the dark");
            svg.replace(dark, light)
        });
        assert_eq!(lit, light, "{name}");
    }
}
