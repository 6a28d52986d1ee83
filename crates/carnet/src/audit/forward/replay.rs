//! What a broken connection may have lost.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Syslog has no acknowledgement: what was written within the last moments of a connection may never have arrived.
#[derive(Debug)]
pub struct Replay {
    window: Duration,
    /// When everything before a position had been written, in order.
    marks: VecDeque<(Instant, u64)>,
}

impl Replay {
    pub fn new(window: Duration) -> Replay {
        Replay { window, marks: VecDeque::new() }
    }

    /// Everything before `position` has been written.
    pub fn sent(&mut self, position: u64, now: Instant) {
        self.marks.push_back((now, position));
    }

    /// The position up to which everything was written long enough ago, if that is further than at the last call.
    pub fn settled(&mut self, now: Instant) -> Option<u64> {
        let mut settled = None;
        while let Some((at, position)) = self.marks.front().copied()
            && now.duration_since(at) >= self.window
        {
            settled = Some(position);
            self.marks.pop_front();
        }
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_long_enough_ago_is_settled() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut replay = Replay::new(Duration::from_secs(60));
        replay.sent(10, at(0));
        replay.sent(20, at(1));
        replay.sent(30, at(50));
        assert_eq!(replay.settled(at(59)), None);
        assert_eq!(replay.settled(at(61)), Some(20));
        assert_eq!(replay.settled(at(62)), None);
        replay.sent(40, at(100));
        assert_eq!(replay.settled(at(300)), Some(40));
    }
}
