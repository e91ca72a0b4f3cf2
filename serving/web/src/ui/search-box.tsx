import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { fromParams, isSearch, NOTHING, toPath } from "../pages/storefront/query";
import { match, navigate, useLocation } from "../router";
import { CameraIcon, CloseIcon, SearchIcon } from "./icons";
import { usePicture } from "./picture-provider";

/** Long enough not to ask for every letter of a fast typist, short enough to feel immediate. */
const DEBOUNCE_MS = 120;

/** The search field: the address follows what is typed; "/" focuses it, Escape empties it, Down goes to the results. */
export function SearchBox() {
  const location = useLocation();
  const onShop = match(location.path).page === "storefront";
  const query = onShop ? fromParams(location.params) : NOTHING;
  const [text, setText] = useState(query.q);
  const shown = useRef(query.q);
  const input = useRef<HTMLInputElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const { choose } = usePicture();

  // The address changed by other means (Back, a link): the field follows.
  useEffect(() => {
    if (query.q !== shown.current) {
      shown.current = query.q;
      setText(query.q);
    }
  }, [query.q]);

  const go = (q: string) => {
    if (q === shown.current) return;
    shown.current = q;
    navigate(toPath({ ...query, q, similar: null }), { replace: onShop && isSearch(query) });
  };
  const latest = useRef(go);
  useEffect(() => {
    latest.current = go;
  });

  useEffect(() => {
    const timer = window.setTimeout(() => latest.current(text), DEBOUNCE_MS);
    return () => window.clearTimeout(timer);
  }, [text]);

  useEffect(() => {
    const focus = (event: globalThis.KeyboardEvent) => {
      const target = event.target as HTMLElement | null;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || target?.closest("input, textarea, select")) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    window.addEventListener("keydown", focus);
    return () => window.removeEventListener("keydown", focus);
  }, []);

  const key = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape" && text !== "") {
      event.preventDefault();
      setText("");
    } else if (event.key === "ArrowDown") {
      const first = document.querySelector<HTMLElement>("[data-card] a");
      if (first) {
        event.preventDefault();
        first.focus();
      }
    }
  };

  return (
    <search className="search">
      <form
        className="search-field"
        onSubmit={(event) => {
          event.preventDefault();
          go(text);
        }}
      >
        <SearchIcon />
        <input
          ref={input}
          type="text"
          inputMode="search"
          enterKeyHint="search"
          name="q"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={key}
          placeholder="Search products, brands, categories"
          aria-label="Search the shop"
          aria-keyshortcuts="/"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={200}
        />
        {text === "" ? (
          <kbd aria-hidden="true">/</kbd>
        ) : (
          <button
            type="button"
            className="icon-button"
            aria-label="Empty the search"
            onClick={() => {
              setText("");
              input.current?.focus();
            }}
          >
            <CloseIcon size={18} />
          </button>
        )}
        <button
          type="button"
          className="icon-button"
          aria-label="Search with a picture"
          title="Search with a picture"
          onClick={() => file.current?.click()}
        >
          <CameraIcon />
        </button>
        <input
          ref={file}
          className="visually-hidden"
          type="file"
          accept="image/*"
          tabIndex={-1}
          aria-hidden="true"
          data-testid="picture-input"
          onChange={(event) => {
            const chosen = event.target.files?.[0];
            if (chosen) choose(chosen);
            event.target.value = "";
          }}
        />
      </form>
    </search>
  );
}
