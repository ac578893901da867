//! Reads `poll(…)`, the default poll settings of a method, and checks it so that it cannot fail at
//! run time.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::{
    Error, Lit, LitFloat, LitInt, LitStr, Result,
    parse::{Parse, ParseStream},
};

use super::keys;
use crate::{
    grammar::{
        duration,
        poll::{
            BUDGET_DELAY, BUDGET_DURATIONS, DURATIONS, IGNORE, JITTER, NEVER, ORIGIN, SHORTEST_DELAY, UNKNOWN_STATUS,
        },
    },
    list,
    nearest::unknown_key,
    report::Report,
};

/// The values of `poll(…)`. Each is legal, and so is their combination.
#[derive(Clone, Default)]
#[expect(clippy::struct_field_names, reason = "each field is named like its key")]
pub(crate) struct Poll {
    pub(crate) delay: Option<Time>,
    pub(crate) multiplier: Option<LitFloat>,
    pub(crate) max_delay: Option<Time>,
    pub(crate) timeout: Option<Timeout>,
    pub(crate) initial_delay: Option<Time>,
    /// The variant of `Jitter`.
    pub(crate) jitter: Option<&'static str>,
    pub(crate) poll_timeout: Option<Time>,
    pub(crate) hint: Option<Hint>,
    pub(crate) error_budget: Option<ErrorBudget>,
    pub(crate) not_found_grace: Option<Time>,
    pub(crate) long_poll: Option<Time>,
    /// The variant of `UnknownStatus`.
    pub(crate) unknown_status: Option<&'static str>,
}

/// A duration, and the literal that it was read from.
pub(crate) type Time = (LitStr, Duration);

/// The value of `timeout`.
#[derive(Clone)]
pub(crate) enum Timeout {
    After(Time),
    Never,
}

/// The value of `hint`.
#[derive(Clone)]
pub(crate) enum Hint {
    Ignore,
    Obey { floor: Time, ceiling: Time },
}

/// The value of `error_budget`.
#[derive(Clone)]
pub(crate) struct ErrorBudget {
    pub(crate) failures: u32,
    pub(crate) elapsed: Option<Time>,
    pub(crate) delay: Option<Time>,
    pub(crate) max_delay: Option<Time>,
    pub(crate) origin: Option<Origin>,
}

/// The value of `origin` in `error_budget(…)`.
#[derive(Clone)]
pub(crate) enum Origin {
    /// The setter of `ErrorBudget` that a word stands for.
    Word(&'static str),
    Limits {
        failures: Option<u32>,
        elapsed: Option<Time>,
    },
}

impl Poll {
    /// Reads `(delay = "1s", …)`.
    pub(crate) fn parse(key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<Self> {
        let tokens = list::inside(key, input, "a list: `poll(delay = \"1s\", max_delay = \"30s\")`")?;
        let mut poll = Self::default();
        list::each(tokens, report, &mut |key, input, report| poll.key(key, input, report));
        poll.check(report);
        Ok(poll)
    }

    /// Fills the keys that are not written here from the block's defaults.
    pub(crate) fn or(self, block: Self, report: &mut Report) -> Self {
        let mut poll = Self {
            delay: self.delay.or(block.delay),
            multiplier: self.multiplier.or(block.multiplier),
            max_delay: self.max_delay.or(block.max_delay),
            timeout: self.timeout.or(block.timeout),
            initial_delay: self.initial_delay.or(block.initial_delay),
            jitter: self.jitter.or(block.jitter),
            poll_timeout: self.poll_timeout.or(block.poll_timeout),
            hint: self.hint.or(block.hint),
            error_budget: self.error_budget.or(block.error_budget),
            not_found_grace: self.not_found_grace.or(block.not_found_grace),
            long_poll: self.long_poll.or(block.long_poll),
            unknown_status: self.unknown_status.or(block.unknown_status),
        };
        poll.check(report);
        poll
    }

    /// Checks the keys against each other. A `max_delay` that is too short is dropped.
    ///
    /// If it stayed, a block's wrong default would be reported again for each of its methods.
    fn check(&mut self, report: &mut Report) {
        if let (Some((_, delay)), Some((text, most))) = (&self.delay, &self.max_delay)
            && most < delay
        {
            report.at(text, format!("`max_delay` ({most:?}) must not be less than `delay` ({delay:?})"));
            self.max_delay = None;
        }
    }

    fn key(&mut self, key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<()> {
        match key.to_string().as_str() {
            "delay" => self.delay = Some(time(key, input, &DURATIONS)?),
            "multiplier" => self.multiplier = Some(multiplier(key, input)?),
            "max_delay" => self.max_delay = Some(time(key, input, &DURATIONS)?),
            "timeout" => self.timeout = Some(timeout(key, input)?),
            "initial_delay" => self.initial_delay = Some(time(key, input, &DURATIONS)?),
            "jitter" => self.jitter = Some(word(key, input, &JITTER)?),
            "poll_timeout" => self.poll_timeout = Some(time(key, input, &DURATIONS)?),
            "hint" => self.hint = Some(Hint::parse(key, input, report)?),
            "error_budget" => self.error_budget = Some(ErrorBudget::parse(key, input, report)?),
            "not_found_grace" => self.not_found_grace = Some(time(key, input, &DURATIONS)?),
            "long_poll" => self.long_poll = Some(time(key, input, &DURATIONS)?),
            "unknown_status" => self.unknown_status = Some(word(key, input, &UNKNOWN_STATUS)?),
            unknown => return Err(Error::new(key.span(), keys::unknown_in_poll(unknown))),
        }
        Ok(())
    }
}

impl Hint {
    /// Reads `= "ignore"` or `(floor = "1s", ceiling = "5m")`.
    fn parse(key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<Self> {
        const TAKES: &str = "`\"ignore\"` or bounds: `hint = \"ignore\"`, `hint(floor = \"1s\", ceiling = \"5m\")`";
        if input.peek(syn::Token![=]) {
            let found: LitStr = list::value(key, input, TAKES)?;
            let is_ignore = found.value() == IGNORE;
            let wrong = || Error::new(found.span(), format!("`{key}` takes {TAKES}"));
            return is_ignore.then_some(Self::Ignore).ok_or_else(wrong);
        }
        let tokens = list::inside(key, input, TAKES)?;
        let bounds = [("floor", SHORTEST_DELAY), ("ceiling", SHORTEST_DELAY)];
        let (mut floor, mut ceiling, mut seen) = (None, None, 0);
        list::each(tokens, report, &mut |key, input, _| {
            seen += 1;
            match key.to_string().as_str() {
                "floor" => floor = Some(time(key, input, &bounds)?),
                "ceiling" => ceiling = Some(time(key, input, &bounds)?),
                unknown => return Err(Error::new(key.span(), unknown_in("hint", unknown, &["floor", "ceiling"]))),
            }
            Ok(())
        });
        match (floor, ceiling) {
            (Some((_, floor)), Some((text, ceiling))) if ceiling < floor => {
                let message = format!("`ceiling` ({ceiling:?}) must not be less than `floor` ({floor:?})");
                Err(Error::new(text.span(), message))
            }
            (Some(floor), Some(ceiling)) => Ok(Self::Obey { floor, ceiling }),
            // The mistake in one of the two is reported already; any legal value stands in.
            _ if seen > 1 => Ok(Self::Ignore),
            _ => Err(Error::new(key.span(), format!("`{key}` takes {TAKES}"))),
        }
    }
}

impl ErrorBudget {
    /// Reads `= 5` or `(failures = 5, elapsed = "1m", …)`.
    fn parse(key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<Self> {
        const TAKES: &str = "how many failed polls in a row are forgiven: `error_budget = 5`, or \
                             `error_budget(failures = 5, elapsed = \"1m\", delay = \"1s\", max_delay = \"20s\", \
                             origin = \"forgiven\")`";
        let mut budget = Self { failures: 0, elapsed: None, delay: None, max_delay: None, origin: None };
        if input.peek(syn::Token![=]) {
            budget.failures = count(key, input, TAKES)?;
            return Ok(budget);
        }
        let tokens = list::inside(key, input, TAKES)?;
        let mut has_failures = false;
        list::each(tokens, report, &mut |key, input, report| {
            match key.to_string().as_str() {
                "failures" => {
                    has_failures = true;
                    budget.failures = count(key, input, "a number: `failures = 5`")?;
                }
                "elapsed" => budget.elapsed = Some(time(key, input, &BUDGET_DURATIONS)?),
                "delay" => budget.delay = Some(time(key, input, &BUDGET_DURATIONS)?),
                "max_delay" => budget.max_delay = Some(time(key, input, &BUDGET_DURATIONS)?),
                "origin" => budget.origin = Some(Origin::parse(key, input, report)?),
                unknown => {
                    let legal = ["failures", "elapsed", "delay", "max_delay", "origin"];
                    return Err(Error::new(key.span(), unknown_in("error_budget", unknown, &legal)));
                }
            }
            Ok(())
        });
        if !has_failures {
            report.at(key, format!("missing `failures`: `{key}` takes {TAKES}"));
        }
        let delay = budget.delay.as_ref().map_or(BUDGET_DELAY, |(_, delay)| *delay);
        if let Some((text, most)) = &budget.max_delay
            && *most < delay
        {
            report.at(text, format!("`max_delay` ({most:?}) must not be less than `delay` ({delay:?})"));
        }
        Ok(budget)
    }
}

impl Origin {
    /// Reads `= "forgiven"`, `= "counted"` or `(failures = 20, elapsed = "10m")`.
    fn parse(key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<Self> {
        const TAKES: &str = "`\"forgiven\"`, `\"counted\"` or limits: `origin = \"forgiven\"`, \
                             `origin(failures = 20, elapsed = \"10m\")`";
        if input.peek(syn::Token![=]) {
            let found: LitStr = list::value(key, input, TAKES)?;
            let setter = ORIGIN.iter().find(|(word, _)| found.value() == *word).map(|(_, setter)| Self::Word(setter));
            return setter.ok_or_else(|| Error::new(found.span(), format!("`{key}` takes {TAKES}")));
        }
        let tokens = list::inside(key, input, TAKES)?;
        let (mut failures, mut elapsed, mut is_empty) = (None, None, true);
        list::each(tokens, report, &mut |key, input, _| {
            is_empty = false;
            match key.to_string().as_str() {
                "failures" => failures = Some(count(key, input, "a number: `failures = 20`")?),
                "elapsed" => elapsed = Some(time(key, input, &BUDGET_DURATIONS)?),
                unknown => return Err(Error::new(key.span(), unknown_in("origin", unknown, &["failures", "elapsed"]))),
            }
            Ok(())
        });
        if is_empty {
            return Err(Error::new(key.span(), format!("`{key}` takes {TAKES}")));
        }
        Ok(Self::Limits { failures, elapsed })
    }
}

/// Returns the message about an unknown key inside a key of `poll(…)`.
fn unknown_in(outer: &str, key: &str, legal: &[&str]) -> String {
    unknown_key(key, legal, &format!(" of `{outer}(…)`"), legal)
}

/// Reads a duration in quotes that is not less than the key's least.
fn time(key: &Ident, input: ParseStream<'_>, least: &[(&str, Duration)]) -> Result<Time> {
    let text: LitStr = list::value(key, input, &format!("a duration in quotes: `{key} = \"1m 30s\"`"))?;
    let duration = read(key, &text)?;
    match least.iter().find(|(word, least)| key == word && duration < *least) {
        Some((_, least)) => Err(Error::new(text.span(), format!("`{key}` must be at least {least:?}"))),
        None => Ok((text, duration)),
    }
}

fn read(key: &Ident, text: &LitStr) -> Result<Duration> {
    let wrong = |reason| Error::new(text.span(), format!("`{key}` is not a duration: {reason}"));
    duration::parse(&text.value()).map_err(wrong)
}

/// Reads the time limit of a wait: a duration that is longer than zero, or `"never"`.
fn timeout(key: &Ident, input: ParseStream<'_>) -> Result<Timeout> {
    let takes = format!("a duration in quotes: `{key} = \"1m 30s\"`, or `{key} = \"{NEVER}\"`");
    let text: LitStr = list::value(key, input, &takes)?;
    if text.value() == NEVER {
        return Ok(Timeout::Never);
    }
    let duration = read(key, &text)?;
    if duration.is_zero() {
        return Err(Error::new(text.span(), format!("`{key}` must be more than zero")));
    }
    Ok(Timeout::After((text, duration)))
}

/// Reads a word of a list, and returns what the list has beside it.
fn word(key: &Ident, input: ParseStream<'_>, words: &[(&str, &'static str)]) -> Result<&'static str> {
    let legal = words.iter().map(|(word, _)| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ");
    let takes = format!("one of {legal}");
    let found: LitStr = list::value(key, input, &takes)?;
    let meant = words.iter().find(|(word, _)| found.value() == *word).map(|(_, variant)| *variant);
    meant.ok_or_else(|| Error::new(found.span(), format!("`{key}` takes {takes}")))
}

/// Reads a number of at least zero.
fn count(key: &Ident, input: ParseStream<'_>, takes: &str) -> Result<u32> {
    let wrong = |span| Error::new(span, format!("`{key}` takes {takes}"));
    match list::value::<Number>(key, input, takes)? {
        Number::Int(int) => int.base10_parse().map_err(|_| wrong(int.span())),
        Number::Float(float) => Err(wrong(float.span())),
        Number::Negative(span) => Err(wrong(span)),
    }
}

/// Reads a number of at least one. An integer becomes a float literal, which the runtime's constant
/// needs.
fn multiplier(key: &Ident, input: ParseStream<'_>) -> Result<LitFloat> {
    let number: Number = list::value(key, input, "a number of at least 1: `multiplier = 1.5`")?;
    let (text, span) = match number {
        Number::Float(float) => (float.base10_digits().to_owned(), float.span()),
        Number::Int(int) => (format!("{}.0", int.base10_digits()), int.span()),
        // Any number below one leads to the error below.
        Number::Negative(span) => ("-1".to_owned(), span),
    };
    match text.parse::<f64>() {
        Ok(number) if number >= 1.0 && number.is_finite() => Ok(LitFloat::new(&text, span)),
        _ => Err(Error::new(span, "`multiplier` must be at least 1: delays never shrink")),
    }
}

/// A number literal with an optional sign. `syn`'s literals have none.
enum Number {
    Float(LitFloat),
    Int(LitInt),
    Negative(Span),
}

impl Parse for Number {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let minus: Option<syn::Token![-]> = input.parse()?;
        match (minus, input.parse()?) {
            (Some(minus), Lit::Int(_) | Lit::Float(_)) => Ok(Self::Negative(minus.span)),
            (None, Lit::Float(float)) => Ok(Self::Float(float)),
            (None, Lit::Int(int)) => Ok(Self::Int(int)),
            (_, other) => Err(Error::new(other.span(), "expected a number")),
        }
    }
}
