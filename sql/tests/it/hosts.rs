//! A dataflow that several processes compute together: here each is a thread, and rows go between them over sockets as between machines.

use crate::data::Shop;
use crate::harness::{Bag, Shape, config, integrate};
use crate::shapes::{RECURSIONS, SHAPES};
use chimera_sql::{DataflowConfig, Delta, Output, Program, Share, merge};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use uuid::Uuid;

enum Command {
    Push(&'static str, Delta),
    Step(Sender<Vec<Output>>),
    Checkpoint(Sender<Uuid>),
}

struct Host {
    commands: Sender<Command>,
    thread: JoinHandle<()>,
}

/// All hosts of one dataflow.
struct Hosts(Vec<Host>);

fn run(program: &Program, config: DataflowConfig, commands: &Receiver<Command>) {
    let mut dataflow = program.start(config).unwrap();
    for command in commands {
        match command {
            Command::Push(table, delta) => dataflow.push(table, delta).unwrap(),
            Command::Step(answer) => answer.send(dataflow.step().unwrap()).unwrap(),
            Command::Checkpoint(answer) => answer.send(dataflow.checkpoint().unwrap()).unwrap(),
        }
    }
    dataflow.stop();
}

impl Hosts {
    fn start(program: &Program, hosts: usize, workers: usize, folder: &Path, checkpoints: Option<&[Uuid]>) -> Self {
        let listeners: Vec<_> = (0..hosts).map(|_| Arc::new(TcpListener::bind("127.0.0.1:0").unwrap())).collect();
        let places: Vec<SocketAddr> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        let start = |(index, listener): (usize, Arc<TcpListener>)| {
            let own = folder.join(index.to_string());
            std::fs::create_dir_all(&own).unwrap();
            let share = Some(Share { hosts: places.clone(), index, listener });
            let checkpoint = checkpoints.map(|checkpoints| checkpoints[index]);
            let config = DataflowConfig { share, checkpoint, ..config(workers, Some(&own)) };
            let (commands, inbox) = channel();
            let program = program.clone();
            Host { commands, thread: std::thread::spawn(move || run(&program, config, &inbox)) }
        };
        Hosts(listeners.into_iter().enumerate().map(start).collect())
    }

    /// A part of the rows to each.
    fn push(&self, table: &'static str, delta: &Delta) {
        let size = delta.len().div_ceil(self.0.len()).max(1);
        for (host, start) in self.0.iter().zip((0..delta.len()).step_by(size)) {
            let rows = size.min(delta.len() - start);
            let weights = delta.weights.as_ref().map(|weights| weights[start..start + rows].to_vec());
            host.commands.send(Command::Push(table, Delta { batch: delta.batch.slice(start, rows), weights })).unwrap();
        }
    }

    fn ask<T>(&self, command: impl Fn(Sender<T>) -> Command) -> Vec<T> {
        let send = |host: &Host| {
            let (answer, answered) = channel();
            host.commands.send(command(answer)).unwrap();
            answered
        };
        let answers: Vec<_> = self.0.iter().map(send).collect();
        answers.into_iter().map(|answer| answer.recv().unwrap()).collect()
    }

    fn step(&self) -> Vec<Output> {
        let given = self.ask(Command::Step);
        let deltas: Vec<Delta> = given.into_iter().flatten().map(|output| output.changes).collect();
        let Some(first) = deltas.first() else { return vec![] };
        let schema = first.batch.schema();
        vec![Output { table: "result".into(), changes: merge(deltas, &schema).unwrap() }]
    }

    fn stop(self) {
        for Host { commands, thread } in self.0 {
            drop(commands);
            thread.join().unwrap();
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

/// Random changes, and in the middle of them all hosts come back from a checkpoint.
fn check(shape: &Shape, hosts: usize, workers: usize, seed: u64) {
    const EPOCHS: usize = 7;
    let folder = tempfile::tempdir().unwrap();
    let program = shape.program();
    let mut running = Hosts::start(&program, hosts, workers, folder.path(), None);
    let (mut shop, mut bag) = (Shop::new(seed), Bag::new());
    for epoch in 0..EPOCHS {
        if epoch > 0 {
            shop.change(epoch == EPOCHS - 1).iter().for_each(|(table, delta)| running.push(table, delta));
        }
        integrate(&running.step(), "result", &mut bag);
        assert_eq!(bag, shape.afresh(&shop), "{} on {hosts} hosts, epoch {epoch}", shape.name);
        if epoch == EPOCHS / 2 {
            let checkpoints = running.ask(Command::Checkpoint);
            running.stop();
            // In one process the connections of the first run outlive it, and hold its folders.
            let copy = folder.path().join("copy");
            (0..hosts).for_each(|host| copy_folder(&folder.path().join(host.to_string()), &copy.join(host.to_string())));
            running = Hosts::start(&program, hosts, workers, &copy, Some(&checkpoints));
        }
    }
    running.stop();
}

#[test]
fn every_shape_on_two_hosts_equals_its_query() {
    SHAPES.iter().for_each(|shape| check(shape, 2, 1, 11));
}

#[test]
fn recursions_on_two_hosts_equal_their_queries() {
    RECURSIONS.iter().for_each(|shape| check(shape, 2, 1, 13));
}

#[test]
fn every_third_shape_on_three_hosts_of_two_workers_equals_its_query() {
    SHAPES.iter().step_by(3).for_each(|shape| check(shape, 3, 2, 12));
}
