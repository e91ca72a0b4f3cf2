import assert from "node:assert/strict";

export const docsChecks = [
  {
    name: "the page of the API lists every route, and one is tried there",
    check: async ({ page, base, shot }) => {
      await page.goto(`${base}/docs`);
      const document = await (await fetch(`${base}/openapi.json`)).json();
      const tags = new Set(Object.values(document.paths).flatMap((item) => Object.values(item).flatMap(({ tags }) => tags ?? [])));
      await page
        .locator(".opblock-tag")
        .nth(tags.size - 1)
        .waitFor();
      assert.equal(await page.locator(".opblock-tag").count(), tags.size);
      await page.locator(".opblock-tag[data-tag=search]").click();
      const search = page.locator("#operations-search-search");
      await search.locator(".opblock-summary-control").click();
      await search.locator("tr[data-param-name=q] input").fill("");
      await search.locator(".execute").click();
      assert.equal((await search.locator(".live-responses-table .response-col_status").last().textContent()).trim().slice(0, 3), "200");
      await shot("13-docs");
    },
  },
];
