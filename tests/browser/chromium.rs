//! Chromium without a window, asked over two pipes
//! (<https://chromedevtools.github.io/devtools-protocol/>, `--remote-debugging-pipe`): JSON that ends with a zero byte.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A size of the window, and a colour scheme.
#[derive(Clone, Copy)]
pub struct Look {
    pub name: &'static str,
    pub width: u32,
    pub height: u32,
    pub dark: bool,
}

/// A running browser with one tab; dropping it ends it.
pub struct Chromium {
    child: Child,
    requests: File,
    answers: BufReader<File>,
    session: Option<String>,
    last_id: u64,
    events: Vec<Value>,
    _profile: TempDir,
}

impl Chromium {
    pub fn start() -> std::io::Result<Chromium> {
        let profile = tempfile::tempdir()?;
        let pipe = |name: &str| profile.path().join(name);
        for name in ["requests", "answers"] {
            mkfifo(&pipe(name), Mode::S_IRWXU)?;
        }
        let program = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        // No sandbox of its own: that does not work as root, and the pages are ours.
        let script = format!(
            "exec {program} --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir=\"$1/profile\" \
             --remote-debugging-pipe about:blank 3<\"$1/requests\" 4>\"$1/answers\""
        );
        let child = Command::new("sh")
            .args(["-c", &script, "sh"])
            .arg(profile.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let requests = OpenOptions::new().write(true).open(pipe("requests"))?;
        let answers = BufReader::new(File::open(pipe("answers"))?);
        let mut chromium = Chromium {
            child,
            requests,
            answers,
            session: None,
            last_id: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let target = chromium.call("Target.createTarget", &json!({"url": "about:blank"}));
        let session = json!({"targetId": target["targetId"], "flatten": true});
        let session = chromium.call("Target.attachToTarget", &session);
        chromium.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            chromium.call(&format!("{domain}.enable"), &json!({}));
        }
        Ok(chromium)
    }

    /// Calls a method and returns its result.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.last_id += 1;
        let mut request = json!({"id": self.last_id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        let mut bytes = request.to_string().into_bytes();
        bytes.push(0);
        self.requests.write_all(&bytes).unwrap();
        loop {
            let message = self.read();
            if message["id"] == self.last_id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn read(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.answers.read_until(0, &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(0), "Chromium has ended");
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Opens a page and waits until it is loaded; returns what happened meanwhile.
    pub fn open(&mut self, page: &Path, look: Look) -> Vec<Value> {
        let metrics = json!({"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": look.width < 600});
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", &media);
        self.events.clear();
        let address = format!("file://{}", page.display());
        self.call("Page.navigate", &json!({"url": address}));
        while !self
            .events
            .iter()
            .any(|event| event["method"] == "Page.loadEventFired")
        {
            let message = self.read();
            self.events.push(message);
        }
        self.events()
    }

    /// What happened since the last call of this.
    pub fn events(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.events)
    }

    /// The value of an expression, also that of a promise.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let result = self.call("Runtime.evaluate", &parameters);
        assert!(result["exceptionDetails"].is_null(), "{result}");
        result["result"]["value"].clone()
    }

    /// Writes a picture of the top of the page, where the environment wants pictures.
    pub fn screenshot(&mut self, name: &str) {
        let Some(directory) = std::env::var_os("SCREENSHOTS") else {
            return;
        };
        let picture = self.call("Page.captureScreenshot", &json!({"format": "png"}));
        let path = Path::new(&directory).join(format!("{name}.png.base64"));
        std::fs::write(path, picture["data"].as_str().unwrap()).unwrap();
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
