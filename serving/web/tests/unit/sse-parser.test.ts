import { describe, expect, it } from "vitest";
import { sseParser } from "../../src/live/sse-parser";

const events = (...chunks: string[]) => {
  const parser = sseParser();
  return chunks.flatMap((chunk) => parser.push(chunk)).map(({ event, data }) => [event, data]);
};

describe("sseParser", () => {
  it("reads names, data of several lines, and the default name", () => {
    expect(events('event: snapshot\ndata: {"a":\ndata: 1}\n\ndata: x\n\n')).toEqual([
      ["snapshot", '{"a":\n1}'],
      ["message", "x"],
    ]);
  });

  it("gives the same events however the stream is cut", () => {
    const stream =
      "\uFEFF: hello\r\nevent: changes\r\ndata: one\r\n\r\ndata:two\rdata: three\r\revent: only-a-name\n\ndata\n\nid: 7\ndata: é £\n\n";
    const whole = events(stream);
    expect(whole).toEqual([
      ["changes", "one"],
      ["message", "two\nthree"],
      ["message", ""],
      ["message", "é £"],
    ]);
    expect(events(...stream)).toEqual(whole);
    for (let at = 1; at < stream.length; at++) expect(events(stream.slice(0, at), stream.slice(at))).toEqual(whole);
  });

  it("removes one leading space of a value only, and keeps colons", () => {
    expect(events("data:  a: b\n\n")).toEqual([["message", " a: b"]]);
  });

  it("holds an unfinished event back", () => {
    expect(events("event: x\ndata: 1\n")).toEqual([]);
  });

  it("keeps the last id and the asked pause, and ignores a pause that is no number", () => {
    const parser = sseParser();
    expect(parser.push("id: 4\nretry: 2500\ndata: a\n\nretry: soon\ndata: b\n\n").map(({ id }) => id)).toEqual(["4", "4"]);
    expect(parser.retryMs()).toBe(2500);
  });
});
