import { Component, type ReactNode } from "react";

/** Shows a sentence instead of an empty page when drawing one fails; the browser's console has the cause. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <section className="note note-centred" role="alert">
        <h1>This page could not be shown</h1>
        <p>Nothing that you did was lost.</p>
        <button className="button" type="button" onClick={() => window.location.reload()}>
          Load it again
        </button>
      </section>
    );
  }
}
