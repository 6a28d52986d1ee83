//! Fills a server with what the workloads need, through its endpoints alone.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use client::{Client, Endpoints, Timeouts};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::task::LocalSet;
use xds::query::{Request, ReturnType, Status};
use xds::value::Cx;

use crate::cells::{Cell, Workload};
use crate::drive::{KEPT, Load, Once, Work, drive};
use crate::filing::{Kind, Message};
use crate::load::Loaded;
use crate::people;
use crate::work::{Find, Get, Mix, Submit};

/// The OID of the device that tells the registry of patients.
const DEVICE: &str = "1.2.250.1.999.6.4";
/// Of a clinical document.
pub const SMALL: usize = 30 << 10;
/// Of one that is filed only to be found.
const TINY: usize = 4 << 10;
/// Documents of one message when records are filled.
const TOGETHER: usize = 20;
const FILLING_CLIENTS: usize = 8;
/// Longer than any filling takes.
const FILLING: Duration = Duration::from_secs(3600);

/// How much is filed before anything is measured.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Patients who get documents while it is measured.
    pub patients: usize,
    /// Records of 10, 100 and 1,000 entries.
    pub records: [usize; 3],
    /// Documents of 30 KB, 3 MB and 100 MB.
    pub documents: [usize; 3],
}

impl Scale {
    pub const FULL: Scale = Scale { patients: 1920, records: [200, 20, 4], documents: [300, 8, 2] };
    /// For a look at whether everything works.
    pub const SMOKE: Scale = Scale { patients: 32, records: [4, 1, 1], documents: [20, 2, 1] };
}

/// A server and what is in it.
pub struct Stage {
    registry: Arc<str>,
    repository: Arc<str>,
    repository_unique_id: String,
    scale: Scale,
    /// Whether patients are told to the registry (ITI-44) before documents are filed for them.
    feed: bool,
    loaded: Option<Arc<Loaded>>,
    rng: fastrand::Rng,
    clients: Client,
}

/// Works that are ready, one for each workload that was asked for.
pub type Works = Vec<(Workload, Arc<dyn Work>)>;

impl Stage {
    pub async fn set(
        endpoints: Endpoints,
        scale: Scale,
        feed: bool,
        loaded: Option<Arc<Loaded>>,
        seed: u64,
        cells: &[Cell],
        mut progress: impl FnMut(&str),
    ) -> anyhow::Result<Works> {
        let local = LocalSet::new();
        local
            .run_until(async {
                let mut stage = Stage {
                    registry: endpoints.registry.as_str().into(),
                    repository: endpoints.repository.as_str().into(),
                    repository_unique_id: String::new(),
                    scale,
                    feed,
                    loaded,
                    rng: fastrand::Rng::with_seed(seed),
                    clients: Client::with_timeouts(endpoints, Timeouts { idle: KEPT, ..Timeouts::default() }),
                };
                let mut works: Works = Vec::new();
                for cell in cells {
                    if works.iter().all(|(workload, _)| *workload != cell.workload) {
                        progress(&format!("filing what {} needs", cell.workload));
                        let work = stage.work(cell.workload, &works).await?;
                        works.push((cell.workload, work));
                    }
                }
                Ok(works)
            })
            .await
    }

    async fn work(&mut self, workload: Workload, ready: &Works) -> anyhow::Result<Arc<dyn Work>> {
        let found = ready.iter().find(|(other, _)| *other == workload);
        if let Some((_, work)) = found {
            return Ok(work.clone());
        }
        Ok(match workload {
            Workload::Submit { documents } => Arc::new(self.submit(documents).await?),
            Workload::Find { entries, return_type } => Arc::new(self.find(entries, return_type).await?),
            Workload::Get { size } => Arc::new(self.get(size).await?),
            Workload::Mix => {
                let [submit, find, get] = Workload::MIXED;
                Arc::new(Mix {
                    submit: Box::pin(self.work(submit, ready)).await?,
                    find: Box::pin(self.work(find, ready)).await?,
                    get: Box::pin(self.work(get, ready)).await?,
                })
            }
        })
    }

    /// Messages of different documents, each with patients of its own who are known to the server.
    async fn submit(&mut self, documents: usize) -> anyhow::Result<Submit> {
        let shapes = if documents == 1 { 32 } else { 4 };
        let each = (self.scale.patients / shapes).max(1);
        let mut messages = Vec::new();
        for _ in 0..shapes {
            let message = Message::new(&mut self.rng, Kind::Cda, documents, SMALL, &self.repository)?;
            let patients: Vec<String> = (0..each).map(|_| self.patient(&message.prefix)).collect();
            self.open(&patients).await?;
            messages.push((message, patients));
        }
        Ok(Submit::new(&self.repository, messages))
    }

    /// Loaded patients have numbers below this.
    fn patient(&mut self, prefix: &str) -> String {
        people::ins(prefix, self.rng.u32(90_000_000..99_999_999))
    }

    async fn open(&self, patients: &[String]) -> anyhow::Result<()> {
        if !self.feed {
            return Ok(());
        }
        let told = patients.iter().map(|ins| async move {
            let answer = self.clients.add_patient(DEVICE, &people::cx(ins)).await?;
            match answer.code.as_str() {
                "CA" | "AA" => Ok(()),
                code => bail!("the server did not take a patient (ITI-44): {code} {:?}", answer.details),
            }
        });
        stream::iter(told).buffer_unordered(FILLING_CLIENTS).try_collect().await
    }

    async fn find(&mut self, entries: u64, return_type: ReturnType) -> anyhow::Result<Find> {
        if let Some(loaded) = self.loaded.clone() {
            let example = loaded.patient_with(&mut self.rng, entries);
            self.check(&people::cx(&example), entries).await?;
            let patients = move |rng: &mut fastrand::Rng| loaded.patient_with(rng, entries);
            return Ok(Find::new(&self.registry, return_type, entries, Box::new(patients)));
        }
        let records = match entries {
            10 => self.scale.records[0],
            100 => self.scale.records[1],
            _ => self.scale.records[2],
        };
        let together = TOGETHER.min(entries as usize);
        let (patients, _) = self.fill(records, entries as usize, together, Kind::Cda, TINY).await?;
        let example = patients.first().context("no record was filled")?;
        self.check(&people::cx(example), entries).await?;
        let patients = move |rng: &mut fastrand::Rng| {
            patients.get(rng.usize(..patients.len())).cloned().unwrap_or_default()
        };
        Ok(Find::new(&self.registry, return_type, entries, Box::new(patients)))
    }

    async fn get(&mut self, size: u64) -> anyhow::Result<Get> {
        if let Some(loaded) =
            self.loaded.clone().filter(|loaded| !loaded.readable.is_empty() && size == SMALL as u64)
        {
            let example = loaded.patient_with(&mut self.rng, 10);
            self.check(&people::cx(&example), 10).await?;
            let unique_ids = Arc::new(loaded.readable.clone());
            return Ok(Get::new(&self.repository, &self.repository_unique_id, size, unique_ids));
        }
        let (documents, kind) = match size {
            0..=100_000 => (self.scale.documents[0], Kind::Cda),
            100_001..=10_000_000 => (self.scale.documents[1], Kind::Pdf),
            _ => (self.scale.documents[2], Kind::Pdf),
        };
        let together = if kind == Kind::Cda { TOGETHER } else { 1 };
        let (patients, unique_ids) =
            self.fill(documents.div_ceil(together), together, together, kind, size as usize).await?;
        let example = patients.first().context("no document was filed")?;
        self.check(&people::cx(example), together as u64).await?;
        Ok(Get::new(&self.repository, &self.repository_unique_id, size, Arc::new(unique_ids)))
    }

    /// Fills records with so many entries each; the patients, and the uniqueIds of the documents.
    async fn fill(
        &mut self,
        records: usize,
        entries: usize,
        together: usize,
        kind: Kind,
        size: usize,
    ) -> anyhow::Result<(Vec<String>, Vec<String>)> {
        let message = Message::new(&mut self.rng, kind, together, size, &self.repository)?;
        let patients: Vec<String> = (0..records).map(|_| self.patient(&message.prefix)).collect();
        self.open(&patients).await?;
        let submit = Submit::new(&self.repository, vec![(message, patients.clone())]);
        let mut unique_ids = Vec::new();
        for some in patients.chunks(FILLING_CLIENTS) {
            // Large messages are made when they are sent: not all of them are in memory at a time.
            let mut shots = Vec::new();
            for patient in some {
                for _ in 0..entries / together {
                    let shot = submit.shot(&mut self.rng, 0, patient).context("there is no message")?;
                    unique_ids.extend(shot.1);
                    shots.push(shot.0);
                }
            }
            let load = Load { clients: FILLING_CLIENTS, time: FILLING, rate: None, seed: 0 };
            let outcome =
                tokio::task::spawn_blocking(move || drive(Arc::new(Once::new(shots)), load)).await??;
            if let Some(failure) = outcome.first_failure {
                bail!("the server does not take the documents: {failure}");
            }
        }
        Ok((patients, unique_ids))
    }

    /// That a record has what it should, by an answer that is read in full.
    async fn check(&mut self, patient: &Cx, entries: u64) -> anyhow::Result<()> {
        let request = Request::find_documents(patient, &[Status::Approved], ReturnType::LeafClass);
        let answer = self.clients.query(&request).await?;
        if answer.documents.len() as u64 != entries {
            bail!("a record should have {entries} documents and has {}", answer.documents.len());
        }
        let repository = answer.documents.first().and_then(|d| d.common.slot_value("repositoryUniqueId"));
        self.repository_unique_id =
            repository.context("the registry does not name the repository")?.to_owned();
        Ok(())
    }
}
