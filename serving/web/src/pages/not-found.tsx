import { Link } from "../router";

export function NotFound({ path }: { path: string }) {
  return (
    <section className="note note-centred">
      <h1>There is no page here</h1>
      <p>
        Nothing is at <code>{path}</code>.
      </p>
      <Link className="button" to="/">
        Go to the shop
      </Link>
    </section>
  );
}
