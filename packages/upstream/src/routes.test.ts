import { expect, test } from "@jest/globals";
import { createRoutes, type RouteRule } from "./routes.ts";

const rule = (pattern: string, upstream: string, as: string | null = null): RouteRule => ({ pattern, upstream, as });

test("prefers the exact route, then the longest prefix, then *", () => {
  const routes = createRoutes(
    [],
    [rule("*", "rest"), rule("gpt-*", "prefix"), rule("gpt-4*", "longer"), rule("gpt-4", "exact")],
  );

  expect(routes.resolve("gpt-4")?.upstream).toBe("exact");
  expect(routes.resolve("gpt-4o")?.upstream).toBe("longer");
  expect(routes.resolve("gpt-3.5")?.upstream).toBe("prefix");
  expect(routes.resolve("llama")?.upstream).toBe("rest");
  expect(routes.resolve("")?.upstream).toBe("rest");
});

test("returns null for a model without a route", () => {
  const routes = createRoutes([], [rule("gpt-4", "exact"), rule("llama-*", "prefix")]);

  expect(routes.resolve("gpt-4o")).toBeNull();
  expect(routes.resolve("llama")).toBeNull();
  expect(routes.resolve("constructor")).toBeNull();
});

test("rewrites the model's name, with the requested name for {model}", () => {
  const routes = createRoutes(
    [],
    [rule("gpt-4", "a", "fixed"), rule("*", "a", "tensorzero::model_name::{model}"), rule("same", "a")],
  );

  expect(routes.resolve("gpt-4")).toEqual({ upstream: "a", model: "fixed" });
  expect(routes.resolve("llama")).toEqual({ upstream: "a", model: "tensorzero::model_name::llama" });
  expect(routes.resolve("same")).toEqual({ upstream: "a", model: "same" });
});

test("does not treat a model's name as a replacement pattern", () => {
  const routes = createRoutes([], [rule("*", "a", "<{model}|{model}>")]);

  expect(routes.resolve("$&$1")?.model).toBe("<$&$1|$&$1>");
});
