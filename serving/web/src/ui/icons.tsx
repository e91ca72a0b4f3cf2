/** Line icons, drawn on a 24 × 24 grid; they only accompany words or labels. */
import type { ReactNode } from "react";

function icon(children: ReactNode) {
  return function Icon({ size = 20 }: { size?: number }) {
    return (
      <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        {children}
      </svg>
    );
  };
}

export const SearchIcon = icon(
  <>
    <circle cx="11" cy="11" r="6.5" />
    <path d="m16 16 4.5 4.5" />
  </>,
);
export const CameraIcon = icon(
  <>
    <path d="M4 8.5A1.5 1.5 0 0 1 5.5 7h2l1.4-2.2h6.2L16.5 7h2A1.5 1.5 0 0 1 20 8.5v9a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5z" />
    <circle cx="12" cy="13" r="3.5" />
  </>,
);
export const CloseIcon = icon(<path d="m6.5 6.5 11 11m0-11-11 11" />);
export const CheckIcon = icon(<path d="m5.5 12.5 4.200 4.200 8.800-9.400" />);
export const WarnIcon = icon(
  <>
    <path d="M12 4.5 21 19.5H3z" />
    <path d="M12 10v4.200m0 2.300v.2" />
  </>,
);
export const SimilarIcon = icon(
  <>
    <rect x="4" y="4" width="11" height="11" rx="2" />
    <path d="M9 19.5h8.5a2 2 0 0 0 2-2V9" />
  </>,
);
export const BackIcon = icon(<path d="M14.5 5.5 8 12l6.5 6.5" />);
