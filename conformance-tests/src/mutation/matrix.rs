//! Scenario × mutation: which scenario notices which mutation.

use std::collections::BTreeSet;
use std::fmt;

use super::{MUTATIONS, Proxy};
use crate::report::Outcome;
use crate::runner::Runner;
use crate::watch::Blind;
use crate::wire::Direct;
use crate::{Options, Task, prepare, scenarios, tasks};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    /// There is nothing in the scenario that the mutation changes.
    NothingToChange,
    NotTried,
    Noticed,
    Missed,
}

/// What came out: enough pairs to know of each mutation a scenario that notices it, and of each scenario a mutation
/// that it notices.
pub struct Matrix {
    /// With their numbers in the table.
    mutations: Vec<usize>,
    rows: Vec<(String, Vec<Cell>)>,
    /// Scenarios that fail without any mutation, or were not run.
    left_out: Vec<String>,
}

/// Runs the scenarios against a server that is right, through a proxy that makes it wrong.
///
/// `thorough`: every scenario with every mutation that changes something in it.
pub async fn prove(options: &Options, thorough: bool) -> anyhow::Result<Matrix> {
    let scenarios = scenarios()?;
    let direct = Direct::new();
    let proxy = Proxy::new(&direct);
    let mut runner = Runner::new(options, &proxy, &Blind)?;
    prepare(&mut runner, &scenarios).await?;
    let is_offered = |number: &usize| MUTATIONS[*number].needs.iter().all(|need| runner.offers(*need));
    let mutations: Vec<usize> = (0..MUTATIONS.len()).filter(is_offered).collect();
    let mut matrix = Matrix { mutations, rows: Vec::new(), left_out: Vec::new() };
    let mut runnable = Vec::new();
    for task in tasks(options, &scenarios)? {
        proxy.would_change.borrow_mut().clear();
        let checks = task.run(&runner).await;
        let name = task.scenario.name.clone();
        if !checks.iter().all(|check| check.outcome == Outcome::Passed) {
            matrix.left_out.push(name);
            continue;
        }
        matrix.add(name, &proxy.would_change.borrow());
        runnable.push(task);
    }
    let attempt = async |row: usize, column: usize, matrix: &mut Matrix| {
        proxy.applied.set(Some(matrix.mutations[column]));
        let noticed = notices(&runnable[row], &runner).await;
        proxy.applied.set(None);
        matrix.rows[row].1[column] = if noticed { Cell::Noticed } else { Cell::Missed };
    };
    if thorough {
        for row in 0..runnable.len() {
            for column in 0..matrix.mutations.len() {
                if matrix.rows[row].1[column] == Cell::NotTried {
                    attempt(row, column, &mut matrix).await;
                }
            }
        }
        return Ok(matrix);
    }
    for column in 0..matrix.mutations.len() {
        while let Some(row) = matrix.best_row(column) {
            attempt(row, column, &mut matrix).await;
        }
    }
    for row in 0..runnable.len() {
        while let Some(column) = matrix.next_column(row) {
            attempt(row, column, &mut matrix).await;
        }
    }
    Ok(matrix)
}

/// Whether the scenario fails; it need not run to its end for that.
async fn notices(task: &Task, runner: &Runner<'_>) -> bool {
    let checks = task.run_until(runner, |outcome| matches!(outcome, Outcome::Failed(_))).await;
    checks.iter().any(|check| matches!(check.outcome, Outcome::Failed(_)))
}

impl Matrix {
    fn add(&mut self, scenario: String, changes: &BTreeSet<usize>) {
        let cell = |number| match changes.contains(number) {
            true => Cell::NotTried,
            false => Cell::NothingToChange,
        };
        self.rows.push((scenario, self.mutations.iter().map(cell).collect()));
    }

    /// The scenario to try next with a mutation that none has noticed yet: first one that has noticed nothing either.
    fn best_row(&self, column: usize) -> Option<usize> {
        if self.rows.iter().any(|(_, cells)| cells[column] == Cell::Noticed) {
            return None;
        }
        let tried = |row: &usize| self.rows[*row].1[column] == Cell::NotTried;
        let noticed_something = |row: &usize| self.rows[*row].1.contains(&Cell::Noticed);
        (0..self.rows.len()).filter(tried).min_by_key(noticed_something)
    }

    /// The mutation to try next with a scenario that has noticed none; not the same one for all scenarios.
    fn next_column(&self, row: usize) -> Option<usize> {
        let cells = &self.rows[row].1;
        if cells.contains(&Cell::Noticed) {
            return None;
        }
        let count = cells.len();
        (0..count).map(|step| (row * 7 + step) % count).find(|column| cells[*column] == Cell::NotTried)
    }

    /// Names of the mutations that no scenario notices.
    pub fn unnoticed(&self) -> Vec<&'static str> {
        let noticed = |column: usize| self.rows.iter().any(|(_, cells)| cells[column] == Cell::Noticed);
        let columns = self.mutations.iter().enumerate().filter(|(column, _)| !noticed(*column));
        columns.map(|(_, number)| MUTATIONS[*number].name.as_str()).collect()
    }

    /// Names of the scenarios that notice no mutation.
    pub fn unbroken(&self) -> Vec<&str> {
        let rows = self.rows.iter().filter(|(_, cells)| !cells.contains(&Cell::Noticed));
        rows.map(|(name, _)| name.as_str()).collect()
    }

    /// Scenarios that were not part of it: they fail without mutation, or need what the server does not offer.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// How many mutations were tried.
    pub fn mutations(&self) -> usize {
        self.mutations.len()
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# noticed   o not noticed   . not tried   (blank) nothing to change\n")?;
        for (column, number) in self.mutations.iter().enumerate() {
            let by = self.rows.iter().filter(|(_, cells)| cells[column] == Cell::Noticed).count();
            writeln!(f, "{:3}  {}: noticed by {by}", column + 1, MUTATIONS[*number].name)?;
        }
        let width = self.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let digits = |divisor: usize| -> String {
            (1..=self.mutations.len()).map(|n| char::from(b'0' + ((n / divisor) % 10) as u8)).collect()
        };
        for divisor in [100, 10, 1] {
            writeln!(f, "{:width$}  {}", "", digits(divisor))?;
        }
        for (name, cells) in &self.rows {
            let cells: String = cells
                .iter()
                .map(|cell| match cell {
                    Cell::NothingToChange => ' ',
                    Cell::NotTried => '.',
                    Cell::Noticed => '#',
                    Cell::Missed => 'o',
                })
                .collect();
            writeln!(f, "{name:width$}  {cells}")?;
        }
        for name in &self.left_out {
            writeln!(f, "{name:width$}  (not run)")?;
        }
        write!(
            f,
            "\n{} scenarios, {} mutations; unnoticed: {:?}; unbroken: {:?}",
            self.rows.len(),
            self.mutations.len(),
            self.unnoticed(),
            self.unbroken()
        )
    }
}
