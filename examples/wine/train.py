"""Tell three cultivars of wine apart by chemistry, and track how the model learns."""

import argparse

import matplotlib as mpl

mpl.use("Agg")  # no screen is needed

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import dovetail as mlflow


def main() -> None:
    """Train for some epochs, logging after each; then log a figure and the model."""
    options = read_options()
    data = load_wine(as_frame=True)
    x_train, x_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=options.test_size, random_state=7, stratify=data.target
    )
    with mlflow.start_run():
        mlflow.set_tag("data", "scikit-learn wine")
        scaler = StandardScaler().fit(x_train)
        classifier = SGDClassifier(loss="log_loss", alpha=options.alpha, random_state=7)
        losses = []
        for epoch in range(int(options.epochs)):
            classifier.partial_fit(scaler.transform(x_train), y_train, classes=[0, 1, 2])
            loss = log_loss(y_test, classifier.predict_proba(scaler.transform(x_test)))
            accuracy = accuracy_score(y_test, classifier.predict(scaler.transform(x_test)))
            mlflow.log_metrics({"loss": loss, "accuracy": accuracy}, step=epoch)
            losses.append(loss)
            print(f"epoch {epoch + 1:>3}  loss {loss:.4f}  accuracy {accuracy:.3f}")
        mlflow.log_figure(figure_of(losses), "plots/loss.png")
        model = Pipeline([("scale", scaler), ("classify", classifier)])
        mlflow.sklearn.log_model(model, name="model", input_example=x_test.head(3))


def read_options() -> argparse.Namespace:
    """What the entry point passes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alpha", type=float, default=0.1, help="strength of regularisation")
    parser.add_argument("--epochs", type=float, default=20, help="passes over the training data")
    parser.add_argument("--test-size", type=float, default=0.25, help="share of rows held back")
    return parser.parse_args()


def figure_of(losses: list[float]) -> plt.Figure:
    """Loss by epoch."""
    figure, axes = plt.subplots(figsize=(6, 4))
    axes.plot(range(len(losses)), losses, marker="o")
    axes.set(xlabel="epoch", ylabel="log loss on held-back rows", title="Learning to tell wines apart")
    figure.tight_layout()
    return figure


if __name__ == "__main__":
    main()
