"""One self-contained file with what the dashboard shows, findings in sentences, and a digest for mail or chat."""
