/** A refusal, as the server words it. */
export class Problem extends Error {
  constructor(status, name, title, detail, members = {}) {
    super(detail);
    Object.assign(this, { status, name, title, detail, members });
  }
}
