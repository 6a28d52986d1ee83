//! Octet counting (RFC 5425 §4.3): `LENGTH SP MESSAGE`, one after the other.

/// Why the octets are no frames. Nothing that follows can be understood any more: the connection must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("octet {0:#04x} stands where the length of a message must begin with a digit from 1 to 9")]
    NoLength(u8),
    #[error("octet {0:#04x} stands in the length of a message, which is digits and then a space")]
    InLength(u8),
    #[error("a message is announced that is longer than {0} octets")]
    TooLong(usize),
}

/// Finds messages in octets that arrive in any portions. It keeps one message at most, and only what has arrived of it.
#[derive(Debug)]
pub struct Framer {
    state: State,
    content: Vec<u8>,
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Between,
    /// In the digits of a length.
    Length(usize),
    /// So many octets of the message are still to come.
    Inside(usize),
    Broken(FrameError),
}

impl Framer {
    /// `limit`: octets of one message.
    pub fn new(limit: usize) -> Self {
        Framer { state: State::Between, content: Vec::new(), limit }
    }

    /// True between two messages.
    pub fn is_idle(&self) -> bool {
        self.state == State::Between
    }

    /// The next message that ends within `octets`, which are shortened to what comes after it; `None` when all of them
    /// were taken. After an error there are only errors.
    pub fn next(&mut self, octets: &mut &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        loop {
            if let State::Inside(missing) = self.state {
                let (here, rest) = octets.split_at(missing.min(octets.len()));
                self.content.extend_from_slice(here);
                *octets = rest;
                match missing - here.len() {
                    0 => {
                        self.state = State::Between;
                        return Ok(Some(std::mem::take(&mut self.content)));
                    }
                    missing => {
                        self.state = State::Inside(missing);
                        return Ok(None);
                    }
                }
            }
            if let State::Broken(error) = self.state {
                return Err(error);
            }
            let Some((&octet, rest)) = octets.split_first() else { return Ok(None) };
            *octets = rest;
            self.state = match self.header(octet) {
                Ok(state) => state,
                Err(error) => State::Broken(error),
            };
        }
    }

    /// What an octet before the message leads to.
    fn header(&self, octet: u8) -> Result<State, FrameError> {
        let digit = octet.is_ascii_digit().then(|| usize::from(octet - b'0'));
        match (self.state, digit) {
            (State::Length(length), None) if octet == b' ' => Ok(State::Inside(length)),
            (State::Length(_), None) => Err(FrameError::InLength(octet)),
            (State::Length(length), Some(digit)) => self.length(length, digit),
            (_, None | Some(0)) => Err(FrameError::NoLength(octet)),
            (_, Some(digit)) => self.length(0, digit),
        }
    }

    /// A length over the limit is an error with the digit that makes it so: digits do not go on without end.
    fn length(&self, before: usize, digit: usize) -> Result<State, FrameError> {
        let length = before.checked_mul(10).and_then(|length| length.checked_add(digit));
        length
            .filter(|length| *length <= self.limit)
            .map(State::Length)
            .ok_or(FrameError::TooLong(self.limit))
    }
}

/// Appends the message with its frame.
pub fn frame(message: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(message.len().to_string().as_bytes());
    to.push(b' ');
    to.extend_from_slice(message.as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 40;

    /// The messages up to the error, if there is one, when the octets come in these portions.
    fn messages<'a>(portions: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<FrameError>) {
        let (mut framer, mut messages) = (Framer::new(LIMIT), Vec::new());
        for mut portion in portions {
            loop {
                match framer.next(&mut portion) {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => break,
                    Err(error) => {
                        assert_eq!(framer.next(&mut &b"3 abc"[..]), Err(error), "an error is for good");
                        return (messages, Some(error));
                    }
                }
            }
            assert!(portion.is_empty());
        }
        (messages, None)
    }

    fn at_once(octets: &[u8]) -> (Vec<Vec<u8>>, Option<FrameError>) {
        messages(std::iter::once(octets))
    }

    #[test]
    fn messages_are_counted_out() {
        assert_eq!(at_once(b"3 abc10 0123456789"), (vec![b"abc".to_vec(), b"0123456789".to_vec()], None));
        assert_eq!(at_once(b"3 5 x1  "), (vec![b"5 x".to_vec(), b" ".to_vec()], None));
        assert_eq!(at_once(b"3 ab"), (vec![], None));
    }

    #[test]
    fn what_is_no_length_is_an_error_and_what_came_before_is_kept() {
        for (octets, count, error) in [
            (&b"1 a0 "[..], 1, FrameError::NoLength(b'0')),
            (b"03 abc", 0, FrameError::NoLength(b'0')),
            (b"<85>1 - - - - - -\n", 0, FrameError::NoLength(b'<')),
            (b"1 a\n1 b", 1, FrameError::NoLength(b'\n')),
            (b" 1 a", 0, FrameError::NoLength(b' ')),
            (b"-1 a", 0, FrameError::NoLength(b'-')),
            (b"3\tabc", 0, FrameError::InLength(b'\t')),
            (b"3abc", 0, FrameError::InLength(b'a')),
            (b"1 a3,5 x", 1, FrameError::InLength(b',')),
        ] {
            let (messages, found) = at_once(octets);
            assert_eq!((messages.len(), found), (count, Some(error)), "{}", octets.escape_ascii());
        }
    }

    #[test]
    fn a_length_over_the_limit_is_an_error_before_its_digits_end() {
        let too_long = Some(FrameError::TooLong(LIMIT));
        assert_eq!(at_once(b"41").1, too_long);
        assert_eq!(at_once(format!("40 {}", "x".repeat(40)).as_bytes()).0, [vec![b'x'; 40]]);
        assert_eq!(at_once(&b"9".repeat(1000)).1, too_long);
        let mut framer = Framer::new(usize::MAX);
        let digits = b"9".repeat(1000);
        assert_eq!(framer.next(&mut digits.as_slice()), Err(FrameError::TooLong(usize::MAX)));
    }

    #[test]
    fn an_announced_length_costs_nothing_until_its_octets_come() {
        let mut framer = Framer::new(usize::MAX);
        assert_eq!(framer.next(&mut &b"1000000000000 abc"[..]), Ok(None));
        assert!(framer.content.capacity() < 100);
    }

    #[test]
    fn it_is_idle_between_messages_only() {
        let mut framer = Framer::new(LIMIT);
        for (octets, idle) in [(&b"2"[..], false), (b" ", false), (b"a", false), (b"b", true)] {
            let _ = framer.next(&mut &*octets);
            assert_eq!(framer.is_idle(), idle, "{}", octets.escape_ascii());
        }
    }

    /// Mostly the octets that mean something.
    fn octet() -> impl Strategy<Value = u8> {
        prop_oneof![Just(b' '), b'0'..=b'4', Just(b'1'), Just(b'a'), any::<u8>()]
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_messages(
            octets in prop::collection::vec(octet(), 0..300),
            cuts in prop::collection::vec(0_usize..300, 0..12),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(octets.len())).collect();
            cuts.extend([0, octets.len()]);
            cuts.sort_unstable();
            let whole = at_once(&octets);
            prop_assert_eq!(&whole, &messages(cuts.windows(2).map(|cut| &octets[cut[0]..cut[1]])));
            prop_assert_eq!(&whole, &messages(octets.chunks(1)));
        }

        #[test]
        fn what_is_framed_is_found_again(texts in prop::collection::vec("[ -~é\n]{1,20}", 0..6)) {
            let mut octets = Vec::new();
            texts.iter().for_each(|text| frame(text, &mut octets));
            let expected: Vec<Vec<u8>> = texts.iter().map(|text| text.clone().into_bytes()).collect();
            prop_assert_eq!(at_once(&octets), (expected, None));
        }
    }
}
