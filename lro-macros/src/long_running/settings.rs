//! Reads `poll(…)`, the default poll settings of a method, and checks it so that it cannot fail at
//! run time.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::{
    Lit, LitFloat, LitInt, LitStr, Result,
    parse::{Parse, ParseStream},
};

use super::keys;
use crate::{grammar::duration, list, report::Report};

/// The values of `poll(…)`. Each is legal, and so is their combination.
#[derive(Clone, Default)]
pub(crate) struct Poll {
    pub(crate) delay: Option<Time>,
    pub(crate) multiplier: Option<LitFloat>,
    pub(crate) max_delay: Option<Time>,
    pub(crate) timeout: Option<Time>,
    pub(crate) initial_delay: Option<Time>,
}

/// A duration, and the literal that it was read from.
pub(crate) type Time = (LitStr, Duration);

impl Poll {
    /// Reads `(delay = "1s", …)`.
    pub(crate) fn parse(key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<Self> {
        let tokens = list::inside(key, input, "a list: `poll(delay = \"1s\", max_delay = \"30s\")`")?;
        let mut poll = Self::default();
        list::each(tokens, report, &mut |key, input, _| poll.key(key, input));
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

    fn key(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "delay" => self.delay = Some(time(key, input)?),
            "multiplier" => self.multiplier = Some(multiplier(key, input)?),
            "max_delay" => self.max_delay = Some(time(key, input)?),
            "timeout" => self.timeout = Some(positive(key, input)?),
            "initial_delay" => self.initial_delay = Some(time(key, input)?),
            unknown => return Err(syn::Error::new(key.span(), keys::unknown_in_poll(unknown))),
        }
        Ok(())
    }
}

/// Reads a duration in quotes.
fn time(key: &Ident, input: ParseStream<'_>) -> Result<Time> {
    let text: LitStr = list::value(key, input, &format!("a duration in quotes: `{key} = \"1m 30s\"`"))?;
    let wrong = |reason| syn::Error::new(text.span(), format!("`{key}` is not a duration: {reason}"));
    let duration = duration::parse(&text.value()).map_err(wrong)?;
    Ok((text, duration))
}

/// Reads a duration that is longer than zero.
fn positive(key: &Ident, input: ParseStream<'_>) -> Result<Time> {
    let (text, duration) = time(key, input)?;
    if duration.is_zero() {
        return Err(syn::Error::new(text.span(), format!("`{key}` must be more than zero")));
    }
    Ok((text, duration))
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
        _ => Err(syn::Error::new(span, "`multiplier` must be at least 1: delays never shrink")),
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
            (_, other) => Err(syn::Error::new(other.span(), "expected a number")),
        }
    }
}
