/** Where the shop delivers; the first is taken unless the shopper chooses. Some have another name in the shop's tables of taxes. */
export const COUNTRIES: readonly { name: string; value: string }[] = [
  "United Kingdom",
  "Australia",
  "Austria",
  "Belgium",
  "Denmark",
  "Finland",
  "France",
  "Germany",
  ["Ireland", "EIRE"] as const,
  "Italy",
  "Japan",
  "Netherlands",
  "Norway",
  "Poland",
  "Portugal",
  "Spain",
  "Sweden",
  "Switzerland",
  "United States",
].map((country) => (typeof country === "string" ? { name: country, value: country } : { name: country[0], value: country[1] }));

/** As people call it. */
export const countryName = (value: string): string => COUNTRIES.find((country) => country.value === value)?.name ?? value;
