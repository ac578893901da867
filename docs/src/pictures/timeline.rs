//! Two waits in time, as the library went through them.

use lro_runtime::Result;

use super::{
    recorded::{self, Exchange, Kind, Recording},
    svg::Svg,
};

/// The left end of the axis, and how many pixels a second has.
const LEFT: f64 = 30.0;
const SECOND: f64 = 20.0;
/// Half the height of a poll.
const HALF: f64 = 17.0;

/// Draws the picture.
pub(super) fn draw() -> Result<String> {
    let (ordinary, held) = (recorded::ordinary()?, recorded::held()?);
    let description = format!("{} {}", aloud("A wait", &ordinary), aloud("A wait with held polls", &held));
    let mut svg = Svg::new(800, 446, "Two waits in time", &description);
    svg.write("strong", (LEFT, 36.0), "A wait with a deadline, delays in seconds");
    wait(&mut svg, 110.0, &ordinary);
    svg.write("strong", (LEFT, 238.0), "A wait whose polls the server holds");
    wait(&mut svg, 302.0, &held);
    axis(&mut svg, 392.0, ordinary.deadline);
    Ok(svg.finish())
}

/// Draws one wait, along the height `y`.
fn wait(svg: &mut Svg, y: f64, wait: &Recording) {
    let mut before: Option<&Exchange> = None;
    for exchange in &wait.exchanges {
        if let Some(before) = before {
            delay(svg, y, before, exchange, wait.deadline);
        }
        poll(svg, y, exchange);
        before = Some(exchange);
    }
    let Some(last) = before else { return };
    let end = x(last.replied);
    if last.kind == Kind::Done {
        svg.write("green strong", (end + 10.0, y + 7.0), &format!("{}, seen at once", wait.end));
    } else {
        svg.write("small end red", (end - 8.0, y + HALF + 24.0), "last poll");
        svg.straight("limit", (x(wait.deadline), y - 52.0), (x(wait.deadline), y + 58.0));
        svg.write("small end red strong", (x(wait.deadline), y + 78.0), &format!("deadline: {}", wait.end));
    }
}

/// Draws the delay between two polls, with its length.
fn delay(svg: &mut Svg, y: f64, before: &Exchange, after: &Exchange, deadline: f64) {
    let seconds = after.sent - before.replied;
    if seconds < 0.001 {
        return;
    }
    svg.straight("line", (x(before.replied), y), (x(after.sent), y));
    let seconds = (seconds * 100.0).round() / 100.0;
    let (class, text) = match before.kind {
        _ if after.replied >= deadline => ("red strong", format!("cut to {seconds}")),
        Kind::Hint => ("yellow strong", seconds.to_string()),
        Kind::Failed => ("red strong", seconds.to_string()),
        _ => ("quiet", seconds.to_string()),
    };
    let middle = x(before.replied).midpoint(x(after.sent));
    svg.write(&format!("small middle {class}"), (middle, y - HALF - 10.0), &text);
}

/// Draws a request, from when it was sent to its reply.
fn poll(svg: &mut Svg, y: f64, exchange: &Exchange) {
    let (from, to) = (x(exchange.sent), x(exchange.replied));
    let (class, word, colour) = match exchange.kind {
        Kind::Start => ("box", "start", "quiet"),
        Kind::Poll | Kind::Held => ("of-blue", "", ""),
        Kind::Hint => ("of-yellow", "hint: 8 s", "yellow"),
        Kind::Failed => ("of-red", "failed: 503", "red"),
        Kind::Done => ("of-green", "", ""),
    };
    svg.rect(class, (from, y - HALF), (to - from, 2.0 * HALF));
    if !word.is_empty() {
        svg.write(&format!("small middle {colour}"), (from.midpoint(to), y + HALF + 24.0), word);
    }
    if to - from > 100.0 {
        let word = format!("held for {} s", exchange.replied - exchange.sent);
        svg.write("small middle", (from.midpoint(to), y + 6.0), &word);
    }
}

fn axis(svg: &mut Svg, y: f64, end: f64) {
    svg.straight("faint", (x(0.0), y), (x(end), y));
    let mut tick = 0.0;
    while tick <= end {
        svg.straight("faint", (x(tick), y), (x(tick), y + 8.0));
        svg.write("small quiet middle", (x(tick), y + 30.0), &format!("{tick}"));
        tick += 5.0;
    }
    svg.write("small quiet end", (x(end) + 10.0, y - 10.0), "seconds since the start call");
}

fn x(second: f64) -> f64 {
    LEFT + second * SECOND
}

/// Tells one wait in words, for a screen reader.
fn aloud(name: &str, wait: &Recording) -> String {
    let steps = wait.exchanges.iter().map(|exchange| {
        let word = match exchange.kind {
            Kind::Start => "the start call",
            Kind::Poll => "a poll",
            Kind::Hint => "a poll whose reply has a hint",
            Kind::Held => "a held poll",
            Kind::Failed => "a failed poll",
            Kind::Done => "a poll that sees the end",
        };
        format!("{word} from {:.1} to {:.1}", exchange.sent, exchange.replied)
    });
    let steps: Vec<String> = steps.collect();
    format!("{name}, in seconds: {}. It ends with {}; its deadline is {}.", steps.join(", "), wait.end, wait.deadline)
}
