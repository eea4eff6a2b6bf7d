"""Try ridge regression on the diabetes data with several strengths, each a child run: written for MLflow, unchanged."""

import argparse

import mlflow
from mlflow import MlflowClient
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score


def rmse_by_fold(alpha: float, folds: int) -> list[float]:
    """The error on each fold."""
    features, target = load_diabetes(return_X_y=True)
    return list(-cross_val_score(Ridge(alpha), features, target, cv=folds, scoring="neg_root_mean_squared_error"))


def try_one(alpha: float, folds: int) -> None:
    """One child run."""
    with mlflow.start_run(run_name=f"alpha {alpha:g}", nested=True):
        mlflow.log_params({"alpha": alpha, "folds": folds})
        errors = rmse_by_fold(alpha, folds)
        for fold, error in enumerate(errors):
            mlflow.log_metric("fold_rmse", error, step=fold)
        mlflow.log_metric("rmse", sum(errors) / folds)
        mlflow.log_dict({"alpha": alpha, "errors": errors}, "errors.json")


def main() -> None:
    """Try all, and note with the parent which one was best."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--alphas", type=lambda text: [float(each) for each in text.split(",")])
    parser.add_argument("--folds", type=float)
    options = parser.parse_args()
    with mlflow.start_run() as parent:
        for alpha in options.alphas:
            try_one(alpha, int(options.folds))
        best = MlflowClient().search_runs(
            [parent.info.experiment_id],
            filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
            order_by=["metrics.rmse ASC"],
            max_results=1,
        )[0]
        mlflow.log_metric("best_rmse", best.data.metrics["rmse"])
        mlflow.set_tag("best", best.info.run_id)
        mlflow.log_text(f"alpha {best.data.params['alpha']}: {best.data.metrics['rmse']:.3f}\n", "best.txt")
        print(f"best: alpha {best.data.params['alpha']}")


if __name__ == "__main__":
    main()
