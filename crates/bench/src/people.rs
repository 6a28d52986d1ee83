//! Invented people. Their INS carry the authority of the test domain and a right key; nothing stands for anybody.

use identity::{Ins, InsAuthority};
use xds::value::Cx;

const FAMILIES: &[&str] = &[
    "AUBRAC",
    "BELLECOMBE",
    "CORVAISIER",
    "DESROSEAUX",
    "ESTEVANEL",
    "FONTMARTIN",
    "GRANDPRE",
    "HAUTERIVE",
    "JOLIBOIS",
    "KERVADEC",
    "LAVERGNOLLE",
    "MONTREVEL",
    "NOIRMONT",
    "ORVEILLAC",
    "PUYBAREAU",
    "QUERCYNAT",
    "ROCHEBRUNE",
    "SAINTOUIN",
    "TREGUIDEL",
    "VAUCRESSON",
];
const WOMEN: &[&str] =
    &["Adèle", "Camille", "Éléonore", "Inès", "Jeanne", "Léa", "Margaux", "Noémie", "Solène", "Zoé"];
const MEN: &[&str] =
    &["Antoine", "Bastien", "Étienne", "Gaël", "Hugo", "Jérôme", "Léon", "Maël", "Rémi", "Théo"];
const PROFESSIONS: &[(&str, &str)] = &[
    ("G15_10/SM26", "Médecin - Qualifié en médecine générale (SM)"),
    ("G15_10/SM03", "Médecin - Biologie médicale (SM)"),
    ("G15_10/SM04", "Médecin - Cardiologie et maladies vasculaires (SM)"),
    ("G15_10/SM44", "Médecin - Radiologie (SM)"),
    ("G15_21", "Pharmacien"),
    ("G15_50", "Sage-femme"),
];
const ORGANISATIONS: &[&str] = &[
    "Centre hospitalier de Brume-les-Bains",
    "Clinique des Trois-Ormes",
    "Laboratoire Orvaline",
    "Maison de santé du Vieux-Moulin",
    "Cabinet médical de la Halle",
];

/// One of a list.
pub fn one<'a, T: ?Sized>(rng: &mut fastrand::Rng, of: &[&'a T]) -> &'a T {
    // The lists of this crate are not empty.
    of[rng.usize(..of.len())]
}

/// A patient.
#[derive(Debug, Clone)]
pub struct Patient {
    /// 15 characters.
    pub ins: String,
    pub family: &'static str,
    pub given: &'static str,
    pub woman: bool,
    /// Eight digits.
    pub birth: String,
}

impl Patient {
    pub fn new(rng: &mut fastrand::Rng) -> Patient {
        let woman = rng.bool();
        let (year, month, day) = (rng.u16(1930..2020), rng.u8(1..=12), rng.u8(1..=28));
        let prefix = format!("{}{:02}{month:02}", if woman { 2 } else { 1 }, year % 100);
        Patient {
            ins: ins(&prefix, rng.u32(..100_000_000)),
            family: one(rng, FAMILIES),
            given: one(rng, if woman { WOMEN } else { MEN }),
            woman,
            birth: format!("{year}{month:02}{day:02}"),
        }
    }

    /// Sex, year and month of birth: how the INS of people with the same data begin.
    pub fn prefix(&self) -> &str {
        self.ins.get(..5).unwrap_or_default()
    }

    pub fn cx(&self) -> Cx {
        cx(&self.ins)
    }

    pub fn gender(&self) -> &'static str {
        if self.woman { "F" } else { "M" }
    }
}

/// An INS that begins with sex, year and month of birth; `rest` gives department, commune and rank.
pub fn ins(prefix: &str, rest: u32) -> String {
    let number = format!("{prefix}{:08}", rest % 100_000_000);
    // A number of 13 digits has a key.
    let key = Ins::key_of(&number).unwrap_or_default();
    format!("{number}{key:02}")
}

/// The identifier in the test domain.
pub fn cx(ins: &str) -> Cx {
    Cx::new(ins, InsAuthority::TestNir.oid())
}

/// Who writes documents.
#[derive(Debug, Clone)]
pub struct Professional {
    /// Twelve digits, as in the national directory.
    pub id: String,
    pub family: &'static str,
    pub given: &'static str,
    /// Code and label.
    pub profession: (&'static str, &'static str),
    /// Name and number.
    pub organisation: (&'static str, String),
}

impl Professional {
    pub fn new(rng: &mut fastrand::Rng) -> Professional {
        let given = if rng.bool() { one(rng, WOMEN) } else { one(rng, MEN) };
        Professional {
            id: format!("8{:011}", rng.u64(..100_000_000_000)),
            family: one(rng, FAMILIES),
            given,
            profession: PROFESSIONS[rng.usize(..PROFESSIONS.len())],
            organisation: (one(rng, ORGANISATIONS), format!("1{:09}", rng.u32(..1_000_000_000))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_patient_has_an_ins_with_the_right_key_that_fits_the_birth() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..500 {
            let patient = Patient::new(&mut rng);
            Ins::parse(&patient.ins).unwrap();
            assert_eq!(patient.ins.get(1..5), patient.birth.get(2..6));
            let other = ins(patient.prefix(), rng.u32(..));
            assert_eq!(other.len(), patient.ins.len());
            Ins::parse(&other).unwrap();
        }
    }
}
