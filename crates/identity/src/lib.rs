//! Identifiers of French health care, and the OID that every one of them needs.
//!
//! A few French terms, once for the whole project:
//!
//! * **INS** (*identité nationale de santé*): the national health identity of a patient, a number plus the authority
//!   that gave it. The number is the **NIR** (*numéro d'inscription au répertoire*, the social-security number) or,
//!   for who waits for one, the **NIA** (*numéro identifiant d'attente*). See [`Ins`] and [`InsAuthority`].
//! * **RPPS** and **ADELI**: the current and the former directory of health professionals. [`ProfessionalId`] is
//!   their common form, *PS_IdNat* (*identifiant national du professionnel de santé*).
//! * **FINESS**, **SIREN**, **SIRET**: the directories of health establishments, of companies and of their sites.
//!   [`OrganisationId`] is their common form, *Struct_IdNat* (*identifiant national de structure*).
//!
//! Pure: text in, values out.

mod ins;
mod national;
mod oid;

pub use ins::{Ins, InsAuthority, InsError, is_ins_authority};
pub use national::{
    ORGANISATION_AUTHORITY, OrganisationId, OrganisationKind, PROFESSIONAL_AUTHORITY, ProfessionalId,
    ProfessionalKind, ShapeError,
};
pub use oid::{Oid, OidError};
