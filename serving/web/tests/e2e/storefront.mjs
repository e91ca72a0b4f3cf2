import assert from "node:assert/strict";
import { longWord, misspell, until } from "./api.mjs";

const cards = (page) => page.locator("[data-card]");
const names = async (page) => (await page.locator("[data-card] h3").allTextContents()).map((name) => name.trim());
const parameters = (page) => new URL(page.url()).searchParams;

export const storefrontChecks = [
  {
    name: "the first page shows the feed with pictures and prices",
    check: async (world) => {
      const { page, base, api } = world;
      await api.settled();
      world.products = await api.products();
      await page.goto(`${base}/`);
      await cards(page).first().waitFor();
      assert.match(await page.locator(".price").first().textContent(), /^£[\d,]+\.\d\d$/);
      await until("a picture is drawn", () =>
        page
          .locator(".card img")
          .first()
          .evaluate((image) => image.complete && image.naturalWidth > 0),
      );
      assert.ok((await page.locator("[data-reason]").count()) > 0, "the feed has a headed section");
      await page.waitForLoadState("networkidle");
      await world.shot("01-feed");
    },
  },
  {
    name: "a query with a typo finds the product as it is typed, and the address carries it",
    check: async (world) => {
      const { page, products } = world;
      world.named = products.find(({ name }) => longWord(name));
      assert.ok(world.named, "a product with a long word in its name");
      const word = longWord(world.named.name);
      await page.keyboard.press("/");
      await page.keyboard.type(misspell(word), { delay: 40 });
      await until("the address carries the query", () => parameters(page).get("q") === misspell(word));
      await until(`a hit that has “${word}”`, async () => (await names(page)).some((name) => name.toLowerCase().includes(word)));
      await until("the heading names the query", async () =>
        (await page.getByTestId("result-count").textContent()).includes(misspell(word)),
      );
      await world.shot("02-typo");
    },
  },
  {
    name: "only the last query's answer is shown when typing fast",
    check: async ({ page, named, watched, api }) => {
      const word = longWord(named.name);
      const input = page.getByRole("textbox", { name: "Search the shop" });
      await input.fill("");
      for (let end = 1; end <= word.length; end++) await input.fill(word.slice(0, end));
      await until("the heading names the whole word", async () =>
        (await page.getByTestId("result-count").textContent()).includes(`“${word}”`),
      );
      const { total } = await api.get(`/search?q=${encodeURIComponent(word)}&limit=1`);
      await until("the heading has the server's count", async () =>
        (await page.getByTestId("result-count").textContent()).startsWith(`${total.toLocaleString("en-GB")} product`),
      );
      assert.deepEqual(watched.problems, []);
    },
  },
  {
    name: "a category and a price range narrow the hits; Back undoes it",
    check: async (world) => {
      const { page, base, api } = world;
      await page.goto(`${base}/?sort=popularity`);
      await cards(page).first().waitFor();
      const before = await page.getByTestId("result-count").textContent();
      const facet = page.locator("[data-facet=category] button").first();
      const category = await facet.locator("span").first().textContent();
      await facet.click();
      await until("all cards are of the category", async () => {
        const found = await cards(page).evaluateAll((all) => all.map((card) => card.dataset.category));
        return found.length > 0 && found.every((name) => name === category);
      });
      assert.equal(parameters(page).get("category"), category);
      const { hits } = await api.get(`/search?category=${encodeURIComponent(category)}&sort=price_asc&limit=100`);
      // In pounds: about half of those found are dearer.
      const cheap = Math.ceil(hits[Math.floor(hits.length / 2)].price_cents / 100);
      await page.getByPlaceholder("£ max").fill(String(cheap));
      await page.getByRole("button", { name: "Set" }).click();
      await until("no card is dearer", async () => {
        const prices = (await page.locator("[data-card] .price").allTextContents()).map((text) => Number(text.replace(/[£,]/g, "")));
        return parameters(page).get("max") === String(cheap) && prices.length > 0 && prices.every((price) => price <= cheap);
      });
      await world.shot("03-facets");
      await page.goBack();
      await page.goBack();
      await until("the hits are as before", async () => (await page.getByTestId("result-count").textContent()) === before);
    },
  },
  {
    name: "prices can be sorted",
    check: async ({ page }) => {
      await page.getByLabel("Sort by").selectOption("price_asc");
      await until("cheapest first", async () => {
        const prices = (await page.locator("[data-card] .price").allTextContents()).map((text) => Number(text.replace(/[£,]/g, "")));
        return prices.length > 1 && prices.every((price, i) => i === 0 || price >= prices[i - 1]);
      });
    },
  },
  {
    name: "only what is in stock can be asked for",
    check: async ({ page, base, api }) => {
      const { total } = await api.get("/search?in_stock=true&limit=1");
      await page.goto(`${base}/?sort=popularity`);
      await page.getByLabel("Only what is in stock").check();
      await until("the server's count", async () =>
        (await page.getByTestId("result-count").textContent()).startsWith(`${total.toLocaleString("en-GB")} product`),
      );
      assert.equal(parameters(page).get("stock"), "1");
      assert.equal(await page.locator("[data-card] .stock-out").count(), 0);
    },
  },
  {
    name: "more hits are shown on demand, none twice",
    check: async ({ page, base, api }) => {
      const { total } = await api.get("/search?limit=1");
      await page.goto(`${base}/?sort=popularity`);
      await cards(page).first().waitFor();
      const before = await cards(page).count();
      assert.ok(total > before, `the shop has ${total} products, ${before} are shown at first`);
      await page.getByRole("button", { name: "Show more" }).click();
      await until("more cards", async () => (await cards(page).count()) > before);
      const skus = await cards(page).evaluateAll((all) => all.map((card) => card.dataset.sku));
      assert.equal(new Set(skus).size, skus.length);
    },
  },
  {
    name: "a query that finds nothing says so",
    check: async (world) => {
      const { page } = world;
      await page.getByRole("textbox", { name: "Search the shop" }).fill("qqzzxxwwvv");
      await page.getByTestId("no-results").waitFor();
      await world.shot("04-nothing");
    },
  },
  {
    name: "the arrow keys go from the search to the hits, Enter opens one, Escape empties the search",
    check: async ({ page, named }) => {
      const input = page.getByRole("textbox", { name: "Search the shop" });
      await input.press("Escape");
      await until("the first page is back", async () => new URL(page.url()).search === "" || parameters(page).get("q") === null);
      await input.fill(longWord(named.name));
      await until("the heading names the query", async () =>
        (await page.getByTestId("result-count").textContent()).includes(`“${longWord(named.name)}”`),
      );
      await until("hits", async () => (await names(page)).some((name) => name.toLowerCase().includes(longWord(named.name))));
      await page.waitForLoadState("networkidle");
      await input.press("ArrowDown");
      const first = await page.locator("[data-card] h3 a").first().textContent();
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), first);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: first }).waitFor();
      await page.goBack();
    },
  },
  {
    name: "an uploaded picture finds its own product first",
    check: async (world) => {
      const { page, base, api, products } = world;
      world.pictured = products[Math.floor(products.length / 2)];
      const { mimeType, buffer } = await api.picture(world.pictured.image_url);
      await page.goto(`${base}/`);
      await page.getByTestId("picture-input").setInputFiles({ name: "mine", mimeType, buffer });
      await page.locator(".similarity").first().waitFor();
      assert.equal(await cards(page).first().getAttribute("data-sku"), world.pictured.sku);
      const shares = await page.locator("[data-similarity]").evaluateAll((all) => all.map((badge) => Number(badge.dataset.similarity)));
      assert.ok(shares[0] > 0.9, `the picture itself is alike: ${shares[0]}`);
      assert.ok(
        shares.every((share, i) => i === 0 || share <= shares[i - 1]),
        "the most alike come first",
      );
      await page.waitForLoadState("networkidle");
      await world.shot("05-picture");
    },
  },
  {
    name: "“find similar” on a hit shows others, not itself",
    check: async ({ page, pictured }) => {
      const card = cards(page).first();
      await card.hover();
      await card.getByRole("link", { name: /look like/ }).click();
      await page.getByRole("heading", { level: 1, name: pictured.name }).waitFor();
      await page.locator(".similarity").first().waitFor();
      const skus = await cards(page).evaluateAll((all) => all.map((each) => each.dataset.sku));
      assert.ok(skus.length > 0 && !skus.includes(pictured.sku));
    },
  },
  {
    name: "a file that is no picture is refused with a clear sentence",
    check: async ({ page }) => {
      await page
        .getByTestId("picture-input")
        .setInputFiles({ name: "broken.png", mimeType: "image/png", buffer: Buffer.from("this is no picture") });
      const note = page.getByTestId("problem");
      await note.waitFor();
      assert.match(await note.textContent(), /not a picture/);
    },
  },
];
