//! `?wsdl`: our own descriptions of the services.

use actix_web::{HttpRequest, HttpResponse, web};

use super::App;

/// What the messages look like, for generators of clients.
const SCHEMAS: [&str; 7] = [
    include_str!("../../../../schemas/xsd/rim.xsd"),
    include_str!("../../../../schemas/xsd/rs.xsd"),
    include_str!("../../../../schemas/xsd/lcm.xsd"),
    include_str!("../../../../schemas/xsd/query.xsd"),
    include_str!("../../../../schemas/xsd/xds.xsd"),
    include_str!("../../../../schemas/xsd/rmd.xsd"),
    include_str!("../../../../schemas/xsd/hl7.xsd"),
];

const REGISTRY: &str = include_str!("../../../../schemas/wsdl/registry.wsdl");
const REPOSITORY: &str = include_str!("../../../../schemas/wsdl/repository.wsdl");

pub async fn registry(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    describe(&app, &request, REGISTRY)
}

pub async fn repository(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    describe(&app, &request, REPOSITORY)
}

fn describe(app: &App, request: &HttpRequest, wsdl: &str) -> HttpResponse {
    let address = format!("{}{}", app.public_url, request.path().trim_end_matches('/'));
    if !request.query_string().to_ascii_lowercase().starts_with("wsdl") {
        let hint = format!("This is a SOAP service: send it a POST. Its description is at {address}?wsdl\n");
        return HttpResponse::MethodNotAllowed()
            .insert_header(("Allow", "POST"))
            .content_type("text/plain; charset=utf-8")
            .body(hint);
    }
    HttpResponse::Ok().content_type("text/xml; charset=utf-8").body(
        wsdl.replace("{types}", &SCHEMAS.concat()).replace("{address}", &xml::escape_attribute(&address)),
    )
}
