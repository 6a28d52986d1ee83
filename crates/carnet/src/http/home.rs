//! The pages for people and for monitors: `/`, `/health`, `/ready`, `/metrics`. No patient data.

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use serde_json::json;
use xml::escape_text;

use super::App;
use crate::config::Role;

/// Alive: the process answers.
pub async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "up" }))
}

/// Ready: documents can be filed and read, each with its trace.
pub async fn ready(app: web::Data<App>) -> HttpResponse {
    match app.readiness().await {
        Ok(()) => HttpResponse::Ok().json(json!({ "status": "ready" })),
        Err(reason) => {
            HttpResponse::ServiceUnavailable().json(json!({ "status": "not ready", "reason": reason }))
        }
    }
}

/// For Prometheus; docs/metrics.md says what is there.
pub async fn metrics(app: web::Data<App>) -> HttpResponse {
    app.measure().await;
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(app.metrics.render())
}

pub async fn home(app: web::Data<App>) -> HttpResponse {
    let (mood, sentence) = match app.readiness().await {
        Ok(()) => (
            "ready",
            match app.role {
                Role::Both => "Ready: documents can be filed, found and read.",
                Role::Registry => "Ready, as a registry: documents can be registered and found.",
                Role::Repository => "Ready, as a repository: documents can be filed and read.",
            }
            .to_owned(),
        ),
        Err(reason) => ("away", format!("Not ready: {reason}.")),
    };
    let base = app.public_url.as_str();
    let rows: String = [
        ("Document Registry", "/services/registry", "finds (ITI-18), registers (ITI-42)"),
        ("Document Repository", "/services/repository", "files (ITI-41), gives back (ITI-43)"),
        ("Registry, under the DMP's path", "/si-dmp-server/v2/services/registry", "the same"),
        ("Repository, under the DMP's path", "/si-dmp-server/v2/services/repository", "the same"),
    ]
    .iter()
    .filter(|(_, path, _)| match path.ends_with("registry") {
        true => app.role.is_registry(),
        false => app.role.is_repository(),
    })
    .map(|(name, path, what)| {
        let url = escape_text(base).into_owned() + path;
        format!("<tr><th>{name}<td><code>{url}</code><td>{what}<td><a href=\"{path}?wsdl\">WSDL</a></tr>\n")
    })
    .collect();
    let identity = match app.role.is_repository() {
        true => {
            format!(
                "This repository's unique id is <code>{}</code>. ",
                escape_text(&app.repository_unique_id)
            )
        }
        false => String::new(),
    };
    let page = PAGE
        .replace("{mood}", mood)
        .replace("{sentence}", &escape_text(&sentence))
        .replace("{rows}", &rows)
        .replace("{identity}", &identity)
        .replace("{version}", env!("CARGO_PKG_VERSION"));
    HttpResponse::Ok()
        .insert_header(("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .content_type(ContentType::html())
        .body(page)
}

const PAGE: &str = include_str!("home.html");
