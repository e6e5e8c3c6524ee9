//! The server stops while the interface shows its data, and starts again: a throwaway server for
//! each test.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgrehearse::internals::cluster::binaries::WhenMissing;
use pgrehearse::internals::cluster::{Binaries, Cluster, ClusterOptions};
use postgres::{Client, NoTls};

use super::tmux::{PATIENCE, Tmux};
use super::{SLOW_TABLE, wait_until};

const TABLE: &str = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int);
    INSERT INTO t SELECT n, n % 1000, n % 77 FROM generate_series(1, 20000) AS n; ANALYZE t;";

/// A server that can be killed and started again: a child process of the test, on the files of a
/// throwaway cluster.
struct Mortal {
    cluster: Cluster,
    binaries: Binaries,
    server: Option<Child>,
}

impl Mortal {
    fn start(sql: &str) -> Mortal {
        let binaries = Binaries::find(WhenMissing::Explain).unwrap();
        let cluster = Cluster::start(&binaries, &ClusterOptions::default(), &|| false).unwrap();
        let pid_file = cluster.directory().join("data/postmaster.pid");
        let pid = std::fs::read_to_string(&pid_file)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .parse()
            .unwrap();
        kill(Pid::from_raw(pid), Signal::SIGINT).unwrap();
        wait_until("the end of the cluster's own server", || !pid_file.exists());
        let mut server = Mortal {
            cluster,
            binaries,
            server: None,
        };
        server.start_again();
        server.client().unwrap().batch_execute(sql).unwrap();
        server
    }

    fn client(&self) -> Result<Client, postgres::Error> {
        Client::connect(&self.cluster.conninfo(), NoTls)
    }

    /// `kill -9` of the postmaster; its children notice that and end.
    fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Starts the server again. It refuses to start while a child of the old one lives.
    fn start_again(&mut self) {
        let began = Instant::now();
        let mut server = self.postgres().spawn().unwrap();
        while self.client().is_err() {
            assert!(began.elapsed() < PATIENCE, "no new server");
            if server.try_wait().unwrap().is_some() {
                server = self.postgres().spawn().unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.server = Some(server);
    }

    /// The server program, run as the user who owns the files.
    fn postgres(&self) -> Command {
        let directory = self.cluster.directory();
        let data = directory.join("data");
        let mut command = Command::new(self.binaries.directory.join("postgres"));
        command
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(directory)
            .current_dir("/");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let owner = data.metadata().unwrap();
        command.uid(owner.uid()).gid(owner.gid());
        command
    }

    fn is_building(&self) -> bool {
        const BUILDING: &str =
            "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE INDEX%'";
        self.client().is_ok_and(|mut client| {
            client
                .query(BUILDING, &[])
                .is_ok_and(|rows| !rows.is_empty())
        })
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn a_killed_server_is_shown_and_retried_when_it_is_back() {
    let mut server = Mortal::start(TABLE);
    let target = format!(
        "-d '{}' --yes -c 'SELECT * FROM t WHERE a = 5'",
        server.cluster.conninfo()
    );
    let tmux = Tmux::start("killed", "120x40", &target);
    tmux.wait_for("The search has ended");
    server.kill();

    tmux.keys(&["4"]);
    tmux.wait_for("Connection lost");
    // The twin still answers.
    tmux.keys(&["n"]);
    tmux.text("t (b, a)");
    tmux.keys(&["Enter"]);
    tmux.wait_for("YOUR INDEX");
    tmux.keys(&["4", "x", "j", "Space", "R"]);
    tmux.wait_for("Connection lost");
    tmux.keys(&["1"]);
    tmux.wait_for("the workload's cost");
    tmux.keys(&["Enter"]);
    tmux.wait_for("plan · ");
    tmux.wait_for("Connection lost");

    server.start_again();
    // Nothing is built only because the server is there again.
    tmux.keys(&["r"]);
    tmux.wait_for("Connected again");
    tmux.keys(&["R"]);
    tmux.wait_for("Built together, planned and rolled back");
    tmux.keys(&["C-c", "C-c"]);
    tmux.wait_for("EXIT 0");
    tmux.assert_given_back("Ctrl-C");
}

#[test]
fn a_server_killed_in_the_middle_of_a_build_is_shown_and_retried() {
    let mut server = Mortal::start(SLOW_TABLE);
    let limits = "--yes --statement-timeout 10min --max-write-block 10min -c 'SELECT * FROM job WHERE slow(id) = 5'";
    let tmux = Tmux::start(
        "build-killed",
        "120x30",
        &format!("-d '{}' {limits}", server.cluster.conninfo()),
    );
    wait_until("the build", || server.is_building());
    server.kill();
    tmux.wait_for("Connection lost");
    tmux.keys(&["?"]);
    tmux.wait_for("── Keys");
    tmux.keys(&["Escape"]);

    server.start_again();
    tmux.keys(&["r"]);
    wait_until("the second build", || server.is_building());
    tmux.keys(&["Escape"]);
    tmux.wait_for("Stop?");
    tmux.keys(&["y"]);
    tmux.wait_for("Stopped; r goes on");
    tmux.keys(&["q"]);
    tmux.wait_for("EXIT 0");
}
