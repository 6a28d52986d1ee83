//! Whether this machine's clock is kept in time (ITI TF-2 §3.1, Maintain Time): the times of traces depend on it.

/// What the kernel says of its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// A time service keeps it.
    Synchronised,
    Unsynchronised,
    /// The kernel does not tell, as in some containers.
    Unknown,
}

impl Clock {
    /// Asks the kernel; nothing is changed.
    pub fn read() -> Clock {
        // SAFETY: a zeroed timex is a valid request to read (modes = 0), and the kernel writes into nothing else.
        #[allow(unsafe_code, reason = "the one way to ask the kernel")]
        let (state, status) = unsafe {
            let mut timex: libc::timex = std::mem::zeroed();
            let state = libc::adjtimex(&mut timex);
            (state, timex.status)
        };
        Clock::from_kernel(state, status)
    }

    fn from_kernel(state: i32, status: i32) -> Clock {
        match state {
            ..0 => Clock::Unknown,
            _ if state == libc::TIME_ERROR || status & libc::STA_UNSYNC != 0 => Clock::Unsynchronised,
            _ => Clock::Synchronised,
        }
    }

    /// A sentence for the operator when something is wrong with it.
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Clock::Synchronised => None,
            Clock::Unsynchronised => Some(
                "the clock of this machine is not synchronised: the times of traces depend on it. Run a time service (NTP), \
                 such as chrony or systemd-timesyncd",
            ),
            Clock::Unknown => Some(
                "the kernel does not tell whether the clock of this machine is synchronised: make sure that a time service \
                 (NTP) keeps it",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_word_is_understood() {
        assert_eq!(Clock::from_kernel(libc::TIME_OK, libc::STA_PLL), Clock::Synchronised);
        assert_eq!(Clock::from_kernel(libc::TIME_ERROR, libc::STA_UNSYNC), Clock::Unsynchronised);
        assert_eq!(Clock::from_kernel(libc::TIME_OK, libc::STA_UNSYNC), Clock::Unsynchronised);
        assert_eq!(Clock::from_kernel(-1, 0), Clock::Unknown);
    }
}
