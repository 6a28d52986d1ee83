//! How a parameter value is written (TF-2 §3.18.4.1.2.3.5): `'text'` with inner quotes doubled, `number`, or a list of
//! them in parentheses.

/// LongName of ebRIM: what one `rim:Value` may hold, in characters.
const VALUE_LENGTH: usize = 256;

/// One value without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    pub text: String,
    /// Strings are quoted, numbers are not.
    pub quoted: bool,
}

/// What is wrong with the way in which a value is written; never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("a value is missing")]
    NoValue,
    #[error("a single quote is not closed; write a quote inside a string twice")]
    QuoteNotClosed,
    #[error("the closing parenthesis of the list is missing")]
    ListNotClosed,
    #[error("a list stands in parentheses: ('a','b')")]
    ListNotOpened,
    #[error("values of a list are separated by commas")]
    NotSeparated,
    #[error("there is text after the value")]
    TextAfter,
}

/// Reads the text of one `rim:Value`. White space around values, commas and parentheses is of no account.
pub(super) fn read(value: &str) -> Result<Vec<Literal>, Flaw> {
    let Some(list) = value.trim().strip_prefix('(') else {
        let (literal, rest) = literal(value)?;
        return match rest.chars().next() {
            None => Ok(vec![literal]),
            Some(',' | ')') => Err(Flaw::ListNotOpened),
            Some(_) => Err(Flaw::TextAfter),
        };
    };
    let mut literals = Vec::new();
    let mut rest = list;
    loop {
        let (literal, after) = literal(rest)?;
        literals.push(literal);
        if let Some(next) = after.strip_prefix(',') {
            rest = next;
        } else if let Some(end) = after.strip_prefix(')') {
            return if end.is_empty() { Ok(literals) } else { Err(Flaw::TextAfter) };
        } else {
            return Err(if after.is_empty() { Flaw::ListNotClosed } else { Flaw::NotSeparated });
        }
    }
}

/// The literal at the beginning of `text`, and what follows it without the white space between.
fn literal(text: &str) -> Result<(Literal, &str), Flaw> {
    let text = text.trim();
    let Some(mut rest) = text.strip_prefix('\'') else {
        let (number, rest) = text.split_at(text.find([',', ')']).unwrap_or(text.len()));
        return match number.trim_end() {
            "" => Err(Flaw::NoValue),
            number => Ok((Literal { text: number.to_owned(), quoted: false }, rest)),
        };
    };
    let mut content = String::new();
    loop {
        let (piece, after) = rest.split_once('\'').ok_or(Flaw::QuoteNotClosed)?;
        content.push_str(piece);
        match after.strip_prefix('\'') {
            Some(next) => {
                content.push('\'');
                rest = next;
            }
            None => return Ok((Literal { text: content, quoted: true }, after.trim_start())),
        }
    }
}

/// `text` as a quoted string.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The texts as lists of quoted strings, as few as possible, none over the length of a Value. A text that alone is
/// longer stands in a list of its own: values are never split.
pub(super) fn lists<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut lists: Vec<(String, usize)> = Vec::new();
    for text in texts {
        let quoted = quote(text.as_ref());
        let length = quoted.chars().count();
        match lists.last_mut() {
            // One more comma, one closing parenthesis.
            Some((list, used)) if *used + length + 2 <= VALUE_LENGTH => {
                list.push(',');
                list.push_str(&quoted);
                *used += length + 1;
            }
            _ => lists.push((format!("({quoted}"), length + 1)),
        }
    }
    lists.into_iter().map(|(list, _)| list + ")").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(value: &str) -> Vec<String> {
        read(value).unwrap().into_iter().map(|literal| literal.text).collect()
    }

    #[test]
    fn a_string_stands_in_quotes_and_a_quote_inside_is_doubled() {
        assert_eq!(texts("'Children''s Hospital'"), ["Children's Hospital"]);
        assert_eq!(texts("''''"), ["'"]);
        assert_eq!(texts("''"), [""]);
    }

    #[test]
    fn commas_and_parentheses_inside_quotes_are_text() {
        assert_eq!(texts("('a,b','(c)')"), ["a,b", "(c)"]);
    }

    #[test]
    fn white_space_around_values_is_of_no_account_and_inside_quotes_is_kept() {
        assert_eq!(texts("\n ( 'a' ,\t' b ' ) "), ["a", " b "]);
        assert_eq!(texts(" 2005 "), ["2005"]);
    }

    #[test]
    fn a_number_is_not_quoted() {
        assert_eq!(read("(2005)"), Ok(vec![Literal { text: "2005".into(), quoted: false }]));
        assert_eq!(read("'2005'"), Ok(vec![Literal { text: "2005".into(), quoted: true }]));
    }

    #[test]
    fn each_flaw_is_told_apart() {
        for (value, flaw) in [
            ("", Flaw::NoValue),
            (" ", Flaw::NoValue),
            ("()", Flaw::NoValue),
            ("('a',)", Flaw::NoValue),
            ("('a',,'b')", Flaw::NoValue),
            ("(", Flaw::NoValue),
            ("'a", Flaw::QuoteNotClosed),
            ("'it's'", Flaw::TextAfter),
            ("('a", Flaw::QuoteNotClosed),
            ("('a','b'", Flaw::ListNotClosed),
            ("'a','b'", Flaw::ListNotOpened),
            ("'a')", Flaw::ListNotOpened),
            ("('a' 'b')", Flaw::NotSeparated),
            ("('a')('b')", Flaw::TextAfter),
            ("'a'b", Flaw::TextAfter),
        ] {
            assert_eq!(read(value), Err(flaw), "{value}");
        }
    }

    #[test]
    fn what_is_quoted_is_read_back() {
        for text in ["", "a", "it's", "'", "''", "a,b", "(a)", " é "] {
            assert_eq!(texts(&quote(text)), [text]);
        }
    }

    #[test]
    fn a_long_list_is_split_between_values_and_never_inside_one() {
        let ids: Vec<String> = (0..40).map(|n| format!("1.2.250.1.999.{n}.it's")).collect();
        let lists = lists(&ids);
        assert!(lists.len() > 1);
        assert!(lists.iter().all(|list| list.chars().count() <= 256), "{lists:?}");
        assert_eq!(lists.iter().flat_map(|list| texts(list)).collect::<Vec<_>>(), ids);
    }

    #[test]
    fn a_list_fills_a_value_to_the_last_character() {
        // ('…','…'): two strings of 126 and 123 characters, 7 characters of punctuation.
        let pair = ["a".repeat(126), "é".repeat(123)];
        assert_eq!(lists(&pair).iter().map(|list| list.chars().count()).collect::<Vec<_>>(), [256]);
        assert_eq!(lists([pair[0].as_str(), &"é".repeat(124)]).len(), 2);
    }

    #[test]
    fn a_text_that_is_too_long_is_not_cut() {
        let long = "a".repeat(300);
        assert_eq!(lists(["b", &long, "c"]).len(), 3);
    }
}
