//! What a registry wants to know of a document beyond its XDS metadata.
//!
//! The repository sees the octets and reads the header; the registry keeps what it says. Between the two the facts
//! travel as extra-metadata Slots (IHE TF-3 §4.2.3.1.6) of the DocumentEntry.

use std::fmt;

use xds::ebxml::Slot;

use crate::header::Header;

/// How the name of every Slot made here begins. A registry keeps these Slots for itself and does not return them.
pub const SLOT_PREFIX: &str = "urn:carnet:cda:";

/// The facts of one header.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HeaderFacts {
    /// setId in the form of a uniqueId.
    pub set_id: Option<String>,
    pub version_number: Option<u32>,
    /// The INS number, as it stands in the document: the key may be wrong.
    pub ins: Option<String>,
    /// OID of the INS authority.
    pub ins_authority: Option<String>,
    pub birth_name: Option<String>,
    pub birth_given: Option<String>,
    pub used_name: Option<String>,
    pub used_given: Option<String>,
    /// `M`, `F`, `UN`.
    pub gender: Option<String>,
    /// `YYYYMMDD`, possibly less precise.
    pub birth_date: Option<String>,
    /// Official geographic code (COG) of the place of birth.
    pub birth_place: Option<String>,
}

impl HeaderFacts {
    /// The facts as Slots of one value each; a fact that is not known gives no Slot.
    pub fn to_slots(&self) -> Vec<Slot> {
        let version = self.version_number.map(|number| number.to_string());
        let facts = [
            ("setId", &self.set_id),
            ("versionNumber", &version),
            ("ins", &self.ins),
            ("insAuthority", &self.ins_authority),
            ("birthName", &self.birth_name),
            ("birthGiven", &self.birth_given),
            ("usedName", &self.used_name),
            ("usedGiven", &self.used_given),
            ("gender", &self.gender),
            ("birthDate", &self.birth_date),
            ("birthPlace", &self.birth_place),
        ];
        let slot = |(name, value): (&str, &Option<String>)| {
            let values = vec![value.clone()?];
            Some(Slot { name: format!("{SLOT_PREFIX}{name}"), slot_type: None, values })
        };
        facts.into_iter().filter_map(slot).collect()
    }

    /// Reads the facts back; other Slots are not looked at.
    pub fn from_slots(slots: &[Slot]) -> HeaderFacts {
        let fact = |name: &str| {
            let named = |slot: &&Slot| slot.name.strip_prefix(SLOT_PREFIX) == Some(name);
            slots.iter().find(named)?.values.first().cloned()
        };
        HeaderFacts {
            set_id: fact("setId"),
            version_number: fact("versionNumber").and_then(|number| number.parse().ok()),
            ins: fact("ins"),
            ins_authority: fact("insAuthority"),
            birth_name: fact("birthName"),
            birth_given: fact("birthGiven"),
            used_name: fact("usedName"),
            used_given: fact("usedGiven"),
            gender: fact("gender"),
            birth_date: fact("birthDate"),
            birth_place: fact("birthPlace"),
        }
    }
}

impl From<&Header> for HeaderFacts {
    fn from(header: &Header) -> HeaderFacts {
        let patient = header.patient.clone();
        let (ins, authority) = header.ins().unzip();
        HeaderFacts {
            set_id: header.set_id.as_ref().map(|id| id.unique_id()),
            version_number: header.version_number,
            ins: ins.map(str::to_owned),
            ins_authority: authority.map(str::to_owned),
            birth_name: patient.birth_name,
            birth_given: patient.birth_given,
            used_name: patient.used_name,
            used_given: patient.used_given,
            gender: patient.gender,
            birth_date: patient.birth_date,
            birth_place: patient.birth_place,
        }
    }
}

/// Shows nothing of the person.
impl fmt::Debug for HeaderFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderFacts")
            .field("set_id", &self.set_id)
            .field("version_number", &self.version_number)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> HeaderFacts {
        let some = |text: &str| Some(text.to_owned());
        HeaderFacts {
            set_id: some("1.2.3^A"),
            version_number: Some(2),
            ins: some("279035121518989"),
            ins_authority: some("1.2.250.1.213.1.4.10"),
            birth_name: some("LÉVÊQUE"),
            birth_given: some("Zoé"),
            used_name: some("D'ARC"),
            used_given: some("Zo"),
            gender: some("F"),
            birth_date: some("19790312"),
            birth_place: some("51215"),
        }
    }

    #[test]
    fn facts_come_back_from_their_slots() {
        let slots = facts().to_slots();
        assert_eq!(slots.len(), 11);
        assert!(slots.iter().all(|slot| slot.name.starts_with(SLOT_PREFIX) && slot.values.len() == 1));
        assert!(HeaderFacts::from_slots(&slots) == facts());
    }

    #[test]
    fn what_is_not_known_has_no_slot() {
        assert_eq!(HeaderFacts::default().to_slots(), []);
        let some = HeaderFacts { version_number: Some(3), ..HeaderFacts::default() };
        assert_eq!(some.to_slots().len(), 1);
        assert!(HeaderFacts::from_slots(&some.to_slots()) == some);
    }

    #[test]
    fn slots_of_others_are_not_facts() {
        let other = Slot { name: "setId".to_owned(), slot_type: None, values: vec!["1.2.3".to_owned()] };
        assert!(HeaderFacts::from_slots(&[other]) == HeaderFacts::default());
    }

    #[test]
    fn the_person_is_not_shown_by_debug() {
        let shown = format!("{:?}", facts());
        assert!(shown.contains("1.2.3^A") && !shown.contains("ARC") && !shown.contains("2790"), "{shown}");
    }
}
