//! Invented clinical documents: CDA R2 of a given size, each of a type of the national table.

use crate::people::{Patient, Professional, one};

/// LOINC code and title; the types are in the national table, which gives each its class.
const TYPES: &[(&str, &str)] = &[
    ("11502-2", "Compte rendu d'examens biologiques"),
    ("11490-0", "Lettre de liaison à la sortie de l'établissement"),
    ("11488-4", "Compte rendu de consultation"),
    ("11506-3", "Compte rendu de visite"),
    ("18748-4", "Compte rendu d'imagerie médicale"),
    ("18761-7", "Synthèse médicale"),
    ("18776-5", "Plan personnalisé de soins"),
    ("11369-6", "Historique de vaccination"),
];
/// Where care is given, and how it is practised.
const FACILITIES: &[(&str, &str)] = &[
    ("SA01", "Etablissement public de santé"),
    ("SA07", "Cabinet individuel"),
    ("SA25", "Laboratoire de biologie médicale"),
];
const PRACTICES: &[(&str, &str)] =
    &[("ETABLISSEMENT", "Etablissement de santé"), ("AMBULATOIRE", "Ambulatoire")];
const SENTENCES: &[&str] = &[
    "Le patient est vu ce jour en consultation de suivi, sans plainte nouvelle depuis la dernière visite.",
    "La pression artérielle est mesurée à 128/76 mmHg, la fréquence cardiaque à 68 battements par minute.",
    "L'auscultation cardio-pulmonaire est normale et l'examen abdominal ne retrouve ni douleur ni défense.",
    "Le traitement est bien toléré ; l'observance est jugée satisfaisante par le patient et son entourage.",
    "Le bilan biologique montre une fonction rénale stable et une hémoglobine glyquée à 6,8 %.",
    "Un contrôle est proposé dans trois mois, avec une nouvelle prise de sang la semaine précédente.",
    "Les vaccinations sont à jour ; le rappel antitétanique est prévu à la prochaine échéance.",
    "L'imagerie ne met pas en évidence de lésion suspecte ; les structures médianes sont en place.",
    "Une activité physique régulière est encouragée, ainsi qu'une alimentation pauvre en sel.",
    "Le médecin traitant est informé de ces conclusions par la messagerie sécurisée de santé.",
];

/// What stands in a document beside its people.
pub struct Facts<'a> {
    /// An OID.
    pub unique_id: &'a str,
    /// 14 digits, UTC.
    pub created: &'a str,
}

/// A document of `size` octets, or a few more if the size is too small for its header.
pub fn cda(
    rng: &mut fastrand::Rng,
    patient: &Patient,
    author: &Professional,
    facts: &Facts<'_>,
    size: usize,
) -> String {
    let (code, title) = TYPES[rng.usize(..TYPES.len())];
    let (facility, facility_label) = FACILITIES[rng.usize(..FACILITIES.len())];
    let (practice, practice_label) = PRACTICES[rng.usize(..PRACTICES.len())];
    let Facts { unique_id, created } = facts;
    let Patient { ins, family, given, birth, .. } = patient;
    let gender = patient.gender();
    let Professional { id, family: author_family, given: author_given, profession, organisation } = author;
    let (organisation, number) = organisation;
    let (profession, profession_label) = profession;
    let mut text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <realmCode code="FR"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.2.8.2.1"/>
  <templateId root="1.2.250.1.213.1.1.1.1"/>
  <id root="{unique_id}"/>
  <code code="{code}" displayName="{title}" codeSystem="2.16.840.1.113883.6.1"/>
  <title>{title}</title>
  <effectiveTime value="{created}+0000"/>
  <confidentialityCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="fr-FR"/>
  <setId root="{unique_id}"/>
  <versionNumber value="1"/>
  <recordTarget><patientRole>
    <id root="1.2.250.1.213.1.4.10" extension="{ins}"/>
    <patient>
      <name><family qualifier="BR">{family}</family><given>{given}</given><given qualifier="BR">{given}</given></name>
      <administrativeGenderCode code="{gender}" codeSystem="2.16.840.1.113883.5.1"/>
      <birthTime value="{birth}"/>
    </patient>
  </patientRole></recordTarget>
  <author>
    <time value="{created}+0000"/>
    <assignedAuthor>
      <id root="1.2.250.1.71.4.2.1" extension="{id}"/>
      <code code="{profession}" displayName="{profession_label}" codeSystem="1.2.250.1.213.1.1.4.5"/>
      <assignedPerson><name><given>{author_given}</given><family>{author_family}</family></name></assignedPerson>
      <representedOrganization>
        <id root="1.2.250.1.71.4.2.2" extension="{number}"/><name>{organisation}</name>
      </representedOrganization>
    </assignedAuthor>
  </author>
  <custodian><assignedCustodian><representedCustodianOrganization>
    <id root="1.2.250.1.71.4.2.2" extension="{number}"/><name>{organisation}</name>
  </representedCustodianOrganization></assignedCustodian></custodian>
  <legalAuthenticator>
    <time value="{created}+0000"/><signatureCode code="S"/>
    <assignedEntity>
      <id root="1.2.250.1.71.4.2.1" extension="{id}"/>
      <assignedPerson><name><given>{author_given}</given><family>{author_family}</family></name></assignedPerson>
    </assignedEntity>
  </legalAuthenticator>
  <documentationOf><serviceEvent>
    <effectiveTime><low value="{created}+0000"/></effectiveTime>
    <performer typeCode="PRF"><assignedEntity>
      <id root="1.2.250.1.71.4.2.1" extension="{id}"/>
      <representedOrganization>
        <id root="1.2.250.1.71.4.2.2" extension="{number}"/><name>{organisation}</name>
        <standardIndustryClassCode code="{practice}" displayName="{practice_label}" codeSystem="1.2.250.1.213.1.1.4.9"/>
      </representedOrganization>
    </assignedEntity></performer>
  </serviceEvent></documentationOf>
  <componentOf><encompassingEncounter>
    <effectiveTime><low value="{created}+0000"/></effectiveTime>
    <location><healthCareFacility>
      <code code="{facility}" displayName="{facility_label}" codeSystem="1.2.250.1.71.4.2.4"/>
    </healthCareFacility></location>
  </encompassingEncounter></componentOf>
  <component><structuredBody><component><section>
    <title>{title}</title>
    <text>
"#
    );
    const END: &str =
        "    </text>\n  </section></component></structuredBody></component>\n</ClinicalDocument>\n";
    loop {
        let line = format!("      <paragraph>{} {}</paragraph>\n", one(rng, SENTENCES), one(rng, SENTENCES));
        let room = size.saturating_sub(text.len() + END.len());
        if line.len() > room {
            text.extend(std::iter::repeat_n(' ', room.saturating_sub(1)));
            text.push_str(if room > 0 { "\n" } else { "" });
            return text + END;
        }
        text.push_str(&line);
    }
}

/// Octets that look like a PDF at their beginning and are as hard to pack as one.
pub fn pdf(rng: &mut fastrand::Rng, size: usize) -> Vec<u8> {
    let mut octets = b"%PDF-1.7\n".to_vec();
    octets.resize(size.max(octets.len()), 0);
    if let Some(rest) = octets.get_mut(9..) {
        rng.fill(rest);
    }
    octets
}
