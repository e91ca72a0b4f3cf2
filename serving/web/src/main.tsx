import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/components.css";
import "./styles/storefront.css";
import "./styles/product.css";
import "./styles/forms.css";
import "./styles/shopping.css";
import "./styles/dashboard.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root to draw into");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
