import { useLocation } from "../../router";
import { Feed } from "./feed";
import { fromParams, isSearch } from "./query";
import { Results } from "./results";
import { Similar } from "./similar";

export function Storefront() {
  const { params } = useLocation();
  const query = fromParams(params);
  if (query.similar) return <Similar key={query.similar} wanted={query.similar} />;
  return isSearch(query) ? <Results query={query} /> : <Feed />;
}
