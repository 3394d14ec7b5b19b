//! The live server: the same files, made on request. It only reads, but for one address behind a token ([`Uploads`]).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use dashboard_api::Source;

use crate::PageError;
use crate::site::{File, Site};

/// Why the server could not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address could not be taken.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The server broke.
    #[error("the server stopped")]
    Run(#[source] std::io::Error),
}

/// Opens a source for one request. A request works on its own connection, so a long page blocks no other
/// and every page sees one consistent state.
pub type OpenSource = dyn Fn() -> Result<Box<dyn Source>, dashboard_api::SourceError> + Send + Sync;

/// Where results are posted to: `upload/TOKEN/result/add/` and `.../json/`, the addresses of Codespeed's clients, which know no other
/// way to say who they are.
pub struct Uploads {
    /// Whoever knows it may post.
    pub token: String,
    /// Takes a body in: what to tell the client, or what is wrong with the body.
    pub take: Box<dyn Fn(&str) -> Result<String, String> + Send + Sync>,
}

/// Longest body that is read.
const LONGEST_BODY: usize = 4 << 20;

/// Serves the dashboard on `address` until the process ends; `ready` is told the address really taken
/// (port 0 asks for a free one).
///
/// # Errors
/// When the address cannot be taken or the server breaks.
pub fn serve(
    open: Arc<OpenSource>,
    uploads: Option<Uploads>,
    address: SocketAddr,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(ServeError::Run)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .map_err(|source| ServeError::Listen { address, source })?;
        ready(listener.local_addr().map_err(ServeError::Run)?);
        let uploads = uploads.map(Arc::new);
        let app = Router::new().fallback(move |request: Request<Body>| {
            let (open, uploads) = (Arc::clone(&open), uploads.clone());
            async move {
                match uploads {
                    Some(uploads) if request.method() == Method::POST => {
                        upload(uploads, request).await
                    }
                    _ => answer(open, request).await,
                }
            }
        });
        axum::serve(listener, app).await.map_err(ServeError::Run)
    })
}

async fn answer(open: Arc<OpenSource>, request: Request<Body>) -> Response<Body> {
    let head = request.method() == Method::HEAD;
    if !head && request.method() != Method::GET {
        let mut response = plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "this server only answers GET and HEAD\n",
        );
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let made = tokio::task::spawn_blocking(move || -> Result<Option<File>, PageError> {
        let source = open()?;
        Site::new(source.as_ref()).file(&path)
    })
    .await;
    let mut response = match made {
        Ok(Ok(Some(file))) => {
            let mut response = Response::new(Body::from(file.bytes));
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static(file.mime));
            response
        }
        Ok(Ok(None)) => plain(StatusCode::NOT_FOUND, "there is no such page\n"),
        // What went wrong is for the log of whoever runs the server, not for every visitor.
        Ok(Err(error)) => {
            eprintln!("cannot make a page: {}", chain(&error));
            plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the page could not be made\n",
            )
        }
        Err(_) => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the page could not be made\n",
        ),
    };
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    if head {
        *response.body_mut() = Body::empty();
    }
    response
}

async fn upload(uploads: Arc<Uploads>, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path().trim_matches('/').to_owned();
    let token = path
        .strip_prefix("upload/")
        .and_then(|rest| {
            rest.strip_suffix("/result/add/json")
                .or(rest.strip_suffix("/result/add"))
        })
        .unwrap_or_default();
    if !same(token, &uploads.token) {
        return plain(StatusCode::FORBIDDEN, "nothing is taken in here\n");
    }
    let Ok(body) = axum::body::to_bytes(request.into_body(), LONGEST_BODY).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long\n");
    };
    let taken = tokio::task::spawn_blocking(move || match std::str::from_utf8(&body) {
        Ok(text) => (uploads.take)(text),
        Err(_) => Err("the body is no UTF-8 text".to_owned()),
    })
    .await;
    let (status, text) = match taken {
        Ok(Ok(text)) => (StatusCode::ACCEPTED, text),
        Ok(Err(text)) => (StatusCode::BAD_REQUEST, text),
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "it could not be taken in".to_owned(),
        ),
    };
    let mut response = plain(status, "");
    *response.body_mut() = Body::from(format!("{text}\n"));
    response
}

/// Compares without telling by its time how much of a guess is right.
fn same(guess: &str, token: &str) -> bool {
    guess.len() == token.len()
        && guess
            .bytes()
            .zip(token.bytes())
            .fold(0, |differing, (a, b)| differing | (a ^ b))
            == 0
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
