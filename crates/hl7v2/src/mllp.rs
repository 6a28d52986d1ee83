//! The Minimal Lower Layer Protocol: `0x0B` message `0x1C 0x0D`.

const START: u8 = 0x0B;
const END: u8 = 0x1C;
const CARRIAGE_RETURN: u8 = 0x0D;

/// What the octets of a connection hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A complete message, without its frame.
    Message(Vec<u8>),
    /// A message longer than the limit: as much of it as the limit allows. What is left of it is skipped.
    TooLong(Vec<u8>),
    /// A message that was never ended: the next one began inside it.
    Unfinished,
}

/// Finds messages in octets that arrive in any portions. Octets between messages are skipped.
///
/// An end octet that is followed by neither a carriage return nor the next message belongs to the content.
#[derive(Debug)]
pub struct Framer {
    state: State,
    content: Vec<u8>,
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Between,
    /// In a message; `keep`: it is not over the limit.
    Inside {
        keep: bool,
    },
    /// After an end octet in a message.
    Ending {
        keep: bool,
    },
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

    /// The frames that end with these octets.
    pub fn push(&mut self, octets: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for &octet in octets {
            match (self.state, octet) {
                (State::Between, START) => self.begin(),
                (State::Between, _) => {}
                (State::Inside { keep }, START) => {
                    self.abandon(keep, &mut frames);
                    self.begin();
                }
                (State::Inside { keep }, END) => self.state = State::Ending { keep },
                (State::Inside { keep: true }, octet) => self.keep(octet, &mut frames),
                (State::Inside { keep: false }, _) => {}
                (State::Ending { keep }, CARRIAGE_RETURN) => self.end(keep, &mut frames),
                (State::Ending { keep }, START) => {
                    self.end(keep, &mut frames);
                    self.begin();
                }
                (State::Ending { keep: false }, END) => {}
                (State::Ending { keep: false }, _) => self.state = State::Inside { keep: false },
                (State::Ending { keep: true }, END) => {
                    self.keep(END, &mut frames);
                    if self.state == (State::Inside { keep: true }) {
                        self.state = State::Ending { keep: true };
                    }
                }
                (State::Ending { keep: true }, octet) => {
                    self.keep(END, &mut frames);
                    if self.state == (State::Inside { keep: true }) {
                        self.keep(octet, &mut frames);
                    }
                }
            }
        }
        frames
    }

    fn begin(&mut self) {
        self.content.clear();
        self.state = State::Inside { keep: true };
    }

    fn keep(&mut self, octet: u8, frames: &mut Vec<Frame>) {
        if self.content.len() < self.limit {
            self.content.push(octet);
            self.state = State::Inside { keep: true };
        } else {
            frames.push(Frame::TooLong(std::mem::take(&mut self.content)));
            self.state = State::Inside { keep: false };
        }
    }

    fn end(&mut self, keep: bool, frames: &mut Vec<Frame>) {
        if keep {
            frames.push(Frame::Message(std::mem::take(&mut self.content)));
        }
        self.state = State::Between;
    }

    fn abandon(&mut self, keep: bool, frames: &mut Vec<Frame>) {
        if keep {
            frames.push(Frame::Unfinished);
        }
    }
}

/// A message in its frame.
pub fn wrap(message: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(message.len() + 3);
    octets.push(START);
    octets.extend_from_slice(message);
    octets.extend([END, CARRIAGE_RETURN]);
    octets
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 40;

    fn frames(octets: &[u8]) -> Vec<Frame> {
        Framer::new(LIMIT).push(octets)
    }

    fn message(text: &str) -> Frame {
        Frame::Message(text.as_bytes().to_vec())
    }

    #[test]
    fn messages_are_found_between_garbage() {
        assert_eq!(
            frames(b"xx\x0Bone\x1C\x0D\r\n\x1C\x0D\x0Btwo\x1C\x0Dzz"),
            [message("one"), message("two")]
        );
    }

    #[test]
    fn an_end_octet_alone_is_content_and_before_the_next_message_an_end() {
        assert_eq!(frames(b"\x0Ba\x1Cb\x1C\x1C\x0D"), [message("a\x1Cb\x1C")]);
        assert_eq!(frames(b"\x0Bone\x1C\x0Btwo\x1C\x0D"), [message("one"), message("two")]);
    }

    #[test]
    fn a_message_that_never_ends_does_not_take_the_next_one_with_it() {
        assert_eq!(frames(b"\x0Bone\x0Btwo\x1C\x0D"), [Frame::Unfinished, message("two")]);
    }

    #[test]
    fn a_message_over_the_limit_is_cut_and_the_next_one_is_found() {
        let mut octets = wrap(&[b'a'; LIMIT + 1]);
        octets.extend(wrap(&[b'b'; LIMIT]));
        octets.extend(wrap(&[b'c'; 3 * LIMIT]));
        let expected = [
            Frame::TooLong(vec![b'a'; LIMIT]),
            Frame::Message(vec![b'b'; LIMIT]),
            Frame::TooLong(vec![b'c'; LIMIT]),
        ];
        assert_eq!(frames(&octets), expected);
    }

    #[test]
    fn it_is_idle_between_messages_only() {
        let mut framer = Framer::new(LIMIT);
        assert!(framer.is_idle());
        framer.push(b"\x0Ba\x1C");
        assert!(!framer.is_idle());
        framer.push(b"\x0D");
        assert!(framer.is_idle());
    }

    /// Mostly the octets that mean something.
    fn octet() -> impl Strategy<Value = u8> {
        prop_oneof![Just(START), Just(END), Just(CARRIAGE_RETURN), Just(b'a'), any::<u8>()]
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_frames(
            octets in prop::collection::vec(octet(), 0..300),
            cuts in prop::collection::vec(0_usize..300, 0..12),
        ) {
            let whole = frames(&octets);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(octets.len())).collect();
            cuts.sort_unstable();
            let (mut framer, mut pieces, mut from) = (Framer::new(LIMIT), Vec::new(), 0);
            for cut in cuts.into_iter().chain([octets.len()]) {
                pieces.extend(framer.push(&octets[from..cut]));
                from = cut;
            }
            prop_assert_eq!(&whole, &pieces);
            let one_by_one: Vec<Frame> = {
                let mut framer = Framer::new(LIMIT);
                octets.iter().flat_map(|octet| framer.push(&[*octet])).collect()
            };
            prop_assert_eq!(&whole, &one_by_one);
            for frame in &whole {
                if let Frame::Message(content) | Frame::TooLong(content) = frame {
                    prop_assert!(content.len() <= LIMIT);
                }
            }
        }

        #[test]
        fn what_is_wrapped_is_found_again(
            messages in prop::collection::vec("[ -~\r]{0,30}", 0..6),
            garbage in "[ -~\r\n]{0,20}",
        ) {
            let mut octets = garbage.into_bytes();
            for message in &messages {
                octets.extend(wrap(message.as_bytes()));
            }
            let expected: Vec<Frame> = messages.iter().map(|text| message(text)).collect();
            prop_assert_eq!(frames(&octets), expected);
        }
    }
}
