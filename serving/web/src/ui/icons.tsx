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
export const CartIcon = icon(
  <>
    <path d="M3.500 5h2.300l2 10.500h9.700l1.800-7.500H6.500" />
    <circle cx="9" cy="19" r="1.200" />
    <circle cx="16.500" cy="19" r="1.200" />
  </>,
);
export const PersonIcon = icon(
  <>
    <circle cx="12" cy="8.500" r="3.800" />
    <path d="M4.800 20c.8-3.900 3.600-5.800 7.200-5.800s6.400 1.900 7.200 5.800" />
  </>,
);
export const BinIcon = icon(<path d="M5 7h14M10 7V4.800h4V7m-7.500 0 .8 12.200h9.400L17.500 7M10.300 10.500v5.300m3.400-5.300v5.300" />);
