/** The picture that the shopper searches with: chosen, pasted, or dropped anywhere on the shop's pages. */
import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { pictureIn } from "../lib/picture";
import { NOTHING, toPath } from "../pages/storefront/query";
import { match, navigate, useLocation } from "../router";
import { CameraIcon } from "./icons";

/** The value of `?similar=` that stands for the picture held here. */
export const UPLOADED = "upload";

export interface ChosenPicture {
  file: File;
  /** Distinguishes one choice from the next. */
  id: number;
}

interface PictureSearch {
  picture: ChosenPicture | null;
  choose: (file: File) => void;
}

const PictureContext = createContext<PictureSearch>({ picture: null, choose: () => undefined });
export const usePicture = (): PictureSearch => use(PictureContext);

let choices = 0;

export function PictureProvider({ children }: { children: ReactNode }) {
  const [picture, setPicture] = useState<ChosenPicture | null>(null);
  const [dragging, setDragging] = useState(false);
  const { path } = useLocation();
  const active = match(path).page !== "dashboard";

  const choose = useCallback((file: File) => {
    setPicture({ file, id: ++choices });
    navigate(toPath({ ...NOTHING, similar: UPLOADED }));
  }, []);

  useEffect(() => {
    if (!active) return;
    let depth = 0;
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const enter = (event: DragEvent) => {
      if (carriesFiles(event) && ++depth > 0) setDragging(true);
    };
    const leave = (event: DragEvent) => {
      if (carriesFiles(event) && --depth <= 0) setDragging(false);
    };
    const over = (event: DragEvent) => carriesFiles(event) && event.preventDefault();
    const drop = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setDragging(false);
      const file = pictureIn(event.dataTransfer);
      if (file) choose(file);
    };
    const paste = (event: ClipboardEvent) => {
      const file = pictureIn(event.clipboardData);
      if (!file) return;
      event.preventDefault();
      choose(file);
    };
    window.addEventListener("dragenter", enter);
    window.addEventListener("dragleave", leave);
    window.addEventListener("dragover", over);
    window.addEventListener("drop", drop);
    window.addEventListener("paste", paste);
    return () => {
      window.removeEventListener("dragenter", enter);
      window.removeEventListener("dragleave", leave);
      window.removeEventListener("dragover", over);
      window.removeEventListener("drop", drop);
      window.removeEventListener("paste", paste);
    };
  }, [active, choose]);

  const value = useMemo(() => ({ picture, choose }), [picture, choose]);
  return (
    <PictureContext value={value}>
      {children}
      {dragging && active ? (
        <div className="drop-veil" aria-hidden="true">
          <CameraIcon size={48} />
          <p>Drop the picture to find products that look like it</p>
        </div>
      ) : null}
    </PictureContext>
  );
}
