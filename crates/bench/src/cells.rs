//! What is measured: workloads, each by several numbers of clients.

use std::fmt;

use xds::query::ReturnType;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// ITI-41 of documents of 30 KB.
    Submit {
        documents: usize,
    },
    /// ITI-18 FindDocuments, in records of so many entries.
    Find {
        entries: u64,
        return_type: ReturnType,
    },
    /// ITI-43 of one document.
    Get {
        size: u64,
    },
    Mix,
}

const LEAF: ReturnType = ReturnType::LeafClass;
const REFS: ReturnType = ReturnType::ObjectRef;

impl Workload {
    pub const SUBMIT: Workload = Workload::Submit { documents: 1 };
    pub const FIND: Workload = Workload::Find { entries: 10, return_type: LEAF };
    pub const GET: Workload = Workload::Get { size: 30 << 10 };
    /// What the mix is made of, 1 to 4 to 2.
    pub const MIXED: [Workload; 3] = [Workload::SUBMIT, Workload::FIND, Workload::GET];
    pub const WEIGHTS: [u8; 3] = [1, 4, 2];

    pub const ALL: [Workload; 12] = [
        // What memory a work takes is seen before larger work has left its own.
        Workload::Mix,
        Workload::FIND,
        Workload::Find { entries: 10, return_type: REFS },
        Workload::Find { entries: 100, return_type: LEAF },
        Workload::Find { entries: 100, return_type: REFS },
        Workload::Find { entries: 1000, return_type: LEAF },
        Workload::Find { entries: 1000, return_type: REFS },
        Workload::GET,
        Workload::SUBMIT,
        Workload::Get { size: 3_000_000 },
        Workload::Get { size: 100_000_000 },
        Workload::Submit { documents: 20 },
    ];
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Workload::Submit { documents } => write!(f, "submit-{documents}"),
            Workload::Find { entries, return_type: ReturnType::LeafClass } => {
                write!(f, "find-{entries}-leaf")
            }
            Workload::Find { entries, .. } => write!(f, "find-{entries}-refs"),
            Workload::Get { size } if *size < 100_000 => write!(f, "get-{}k", size >> 10),
            Workload::Get { size } => write!(f, "get-{}m", size / 1_000_000),
            Workload::Mix => write!(f, "mix"),
        }
    }
}

/// How fast clients send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As fast as they are answered.
    Full,
    /// At half of the rate that was reached at full pace by as many clients.
    Half,
    /// So many requests a second.
    Rate(f64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    pub workload: Workload,
    pub clients: usize,
    pub pace: Pace,
}

/// 150 submissions, 600 queries and 300 retrievals a second.
pub const NATIONAL_PEAK: f64 = 1050.0;
const HALF_CLIENTS: usize = 16;
const PEAK_CLIENTS: usize = 64;

/// The cells whose names begin with one of `only`; all of them when it is empty.
pub fn cells(only: &[String], clients: &[usize]) -> Vec<Cell> {
    let wanted = |workload: &Workload| {
        let name = workload.to_string();
        only.is_empty() || only.iter().any(|only| name.starts_with(only.as_str()))
    };
    let mut cells = Vec::new();
    for workload in Workload::ALL.into_iter().filter(wanted) {
        cells.extend(clients.iter().map(|clients| Cell { workload, clients: *clients, pace: Pace::Full }));
        if Workload::MIXED.contains(&workload) && clients.contains(&HALF_CLIENTS) {
            cells.push(Cell { workload, clients: HALF_CLIENTS, pace: Pace::Half });
        }
        if workload == Workload::Mix && clients.contains(&PEAK_CLIENTS) {
            cells.push(Cell { workload, clients: PEAK_CLIENTS, pace: Pace::Rate(NATIONAL_PEAK) });
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_chosen_by_the_beginning_of_their_names() {
        let chosen = cells(&["find-10-".to_owned()], &[1, 16]);
        let names: Vec<String> = chosen.iter().map(|cell| cell.workload.to_string()).collect();
        assert_eq!(names, ["find-10-leaf", "find-10-leaf", "find-10-leaf", "find-10-refs", "find-10-refs"]);
        assert_eq!(cells(&[], &[1]).len(), Workload::ALL.len());
    }
}
