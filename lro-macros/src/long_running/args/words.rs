//! Reads `words(…)`: what status words of one service mean.

use proc_macro2::Ident;
use syn::{
    Error, LitStr, Result, Token, bracketed,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    token,
};

use crate::{
    grammar::{azure_words, states::STATES},
    list::{each, inside, value},
    long_running::keys,
    report::Report,
};

const TAKES: &str = "a list of words by state: `words(succeeded = \"partiallySucceeded\")`";

/// Reads `(succeeded = "partiallySucceeded", failed = ["Aborted", "Expired"])`: one option of the
/// dialect for each word, which has the name of the state.
pub(super) fn words(key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<Vec<(String, LitStr)>> {
    let tokens = inside(key, input, TAKES)?;
    if tokens.is_empty() {
        return Err(Error::new(key.span(), format!("`{key}` takes {TAKES}")));
    }
    let mut words: Vec<(String, LitStr)> = Vec::new();
    each(tokens, report, &mut |state, input, report| {
        let name = state.to_string();
        if !STATES.iter().any(|(known, _)| *known == name) {
            return Err(Error::new(state.span(), keys::unknown_in_words(&name)));
        }
        let takes = format!("words as the service writes them: `{state} = \"word\"` or `{state} = [\"a\", \"b\"]`");
        let Words(read) = value(state, input, &takes)?;
        for word in read {
            match refusal(&words, &word.value()) {
                Some(why) => report.at(&word, why),
                None => words.push((name.clone(), word)),
            }
        }
        Ok(())
    });
    Ok(words)
}

/// Returns why a word cannot be declared after the others, or `None` if it can.
fn refusal(words: &[(String, LitStr)], word: &str) -> Option<String> {
    if azure_words::WORDS.iter().any(|own| own.eq_ignore_ascii_case(word)) {
        return Some(format!("`{word}` is one of Azure's own words and keeps its meaning: leave it out"));
    }
    let (state, _) = words.iter().find(|(_, known)| known.value().eq_ignore_ascii_case(word))?;
    Some(format!("`{word}` is a word of `{state}` already; keep one (words are compared without regard to case)"))
}

/// One word, or several in brackets.
struct Words(Vec<LitStr>);

impl Parse for Words {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(token::Bracket) {
            return input.parse().map(|word| Self(vec![word]));
        }
        let content;
        bracketed!(content in input);
        Punctuated::<LitStr, Token![,]>::parse_terminated(&content).map(|words| Self(words.into_iter().collect()))
    }
}
