/** Every route of the API, to read and to try: Swagger UI over the server's own document. */
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

SwaggerUI({
  url: "/openapi.json",
  dom_id: "#root",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  requestSnippetsEnabled: true,
  // Nothing leaves for a service that checks documents.
  validatorUrl: null,
});
