//! The patients of whom a search asks.

use atna::fhir::search::Parameters;
use registry::patients;
use xds::value::Cx;

use super::Doors;
use super::failure::Failure;

/// Patients of one search.
const MOST: usize = 100;

/// Of whom is asked.
pub struct Asked {
    /// Every identifier and authority under which events are to be looked for; never empty.
    pub identifiers: Vec<(String, String)>,
    /// The patients as they were named, for the traces.
    pub named: Vec<String>,
}

/// `None` when the search is about everybody. A patient who is named with the authority is looked for under every identifier
/// of the record, which the search is told; by an id alone, under this id of every authority.
pub async fn asked(doors: &Doors, parameters: &mut Parameters) -> Result<Option<Asked>, Failure> {
    let Some(patients) = parameters.patients() else { return Ok(None) };
    if patients.len() > MOST {
        return Err(Failure::invalid(format!("patient: more than {MOST} at once")));
    }
    if patients.iter().any(|(id, _)| id.is_empty() || id.contains(char::is_control)) {
        return Err(Failure::invalid("patient: not every one has an identifier"));
    }
    let mut asked = Asked { identifiers: Vec::new(), named: Vec::new() };
    for (id, authority) in patients {
        match authority {
            Some(authority) => {
                let cx = Cx::new(&id, &authority);
                let all = patients::identifiers(&doors.database, &cx).await?;
                parameters.also_known_as(&all);
                asked.identifiers.extend(all);
                asked.named.push(cx.text.to_string());
            }
            None => asked.by_id(doors, id).await?,
        }
    }
    asked.named.sort();
    asked.named.dedup();
    asked.identifiers.sort();
    asked.identifiers.dedup();
    Ok(Some(asked))
}

impl Asked {
    async fn by_id(&mut self, doors: &Doors, id: String) -> Result<(), Failure> {
        let client = doors.database.get().await?;
        // A bare id may be that of a Patient that another node's event refers to.
        let reference = (!id.contains('/')).then(|| format!("Patient/{id}"));
        let mut found = false;
        for id in reference.iter().chain([&id]) {
            for authority in atna::log::authorities(&client, id).await? {
                self.named.push(match authority.as_str() {
                    "" => id.clone(),
                    authority => Cx::new(id, authority).text.to_string(),
                });
                self.identifiers.push((id.clone(), authority));
                found = true;
            }
        }
        if !found {
            self.named.push(id.clone());
            self.identifiers.push((id, String::new()));
        }
        Ok(())
    }
}
