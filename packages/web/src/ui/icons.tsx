import type { ReactNode } from 'react';

/** Drawn for this page; they say nothing that a label beside them doesn't. */
function Icon({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <svg
      className="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

const HANDSET =
  'M6 3h3l1.6 4.4-2 1.5a12 12 0 0 0 6.5 6.5l1.5-2L21 15v3a3 3 0 0 1-3.2 3A15.8 15.8 0 0 1 3 6.2 3 3 0 0 1 6 3Z';

export const PhoneIcon = (): ReactNode => (
  <Icon>
    <path d={HANDSET} />
  </Icon>
);
export const HangUpIcon = (): ReactNode => (
  <Icon>
    <path d="M3 15.5c-.6-2.6 4-6 9-6s9.600 3.400 9 6c-.3 1.200-1.500 1.300-2.600 1l-2.400-.7c-.8-.2-1-.8-1-1.500v-1.600a11 11 0 0 0-6 0v1.600c0 .7-.2 1.300-1 1.500l-2.400.7c-1.100.3-2.300.2-2.600-1Z" />
  </Icon>
);
export const InboundIcon = (): ReactNode => (
  <Icon>
    <path d="M18 6 7 17M7 9v8h8" />
  </Icon>
);
export const OutboundIcon = (): ReactNode => (
  <Icon>
    <path d="M6 18 17 7M9 7h8v8" />
  </Icon>
);
export const SendIcon = (): ReactNode => (
  <Icon>
    <path d="M4 12 20 4l-5 16-3.500-6.500L4 12Z" />
  </Icon>
);
export const BackIcon = (): ReactNode => (
  <Icon>
    <path d="m14 6-6 6 6 6" />
  </Icon>
);
export const SearchIcon = (): ReactNode => (
  <Icon>
    <circle cx="11" cy="11" r="6" />
    <path d="m20 20-4.500-4.500" />
  </Icon>
);
export const AddPersonIcon = (): ReactNode => (
  <Icon>
    <circle cx="10" cy="8" r="4" />
    <path d="M3 20c.8-3.500 3.500-5.500 7-5.500 1.500 0 2.900.4 4 1.100M18 14v6M15 17h6" />
  </Icon>
);
export const CloseIcon = (): ReactNode => (
  <Icon>
    <path d="m6 6 12 12M18 6 6 18" />
  </Icon>
);

export const Mark = (): ReactNode => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="8" />
    <path d="M8 12c0 5 4 8 8 8s8-3 8-8" fill="none" strokeWidth="3" strokeLinecap="round" />
    <circle cx="8" cy="10.500" r="3" />
    <circle cx="24" cy="10.500" r="3" />
  </svg>
);
